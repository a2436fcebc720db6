"""A sealed text can be read only with the secret it was sealed under."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.in_process.sealing import SaltedSealing


@settings(max_examples=20)
@given(text=st.text(), under=st.uuids().map(str))
def test_a_sealed_text_differs_every_time_and_is_read_only_under_its_secret(text: str, under: str) -> None:
    sealing = SaltedSealing()
    first, second = (sealing.seal(text, under) for _ in range(2))
    assert first != second
    assert sealing.unseal(first, under) == text
    with pytest.raises(InvalidTag):
        sealing.unseal(first, under + "x")


def test_a_sealed_text_is_unreadable_and_a_changed_byte_is_detected() -> None:
    sealing = SaltedSealing()
    sealed = sealing.seal("wbk_secret", "one")
    assert b"secret" not in sealed
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            sealing.unseal(bytes(changed), "one")
