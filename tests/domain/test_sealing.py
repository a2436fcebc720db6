"""A sealed text can be read only with the secret it was sealed under."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from adapters.in_process.sealing import SaltedSealing


@given(text=st.text(), under=st.uuids().map(str))
def test_a_text_is_unsealed_under_the_same_secret(text: str, under: str) -> None:
    sealing = SaltedSealing()
    assert sealing.unseal(sealing.seal(text, under), under) == text


def test_another_secret_or_a_changed_byte_unseals_nothing() -> None:
    sealing = SaltedSealing()
    sealed = sealing.seal("wbk_secret", "one")
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed, "two")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            sealing.unseal(bytes(changed), "one")


def test_a_sealed_text_is_unreadable_and_differs_every_time() -> None:
    sealing = SaltedSealing()
    first, second = (sealing.seal("wbk_secret", "one") for _ in range(2))
    assert first != second
    assert b"secret" not in first
