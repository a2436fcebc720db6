"""What is sealed is read by whoever knows what it was sealed under, and by nobody else."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from adapters.in_process.sealing import SaltedSealing


@given(text=st.text(), under=st.uuids().map(str))
def test_a_text_comes_back_under_what_it_was_sealed_under(text: str, under: str) -> None:
    sealing = SaltedSealing()
    assert sealing.unseal(sealing.seal(text, under), under) == text


def test_another_word_or_a_changed_byte_opens_nothing() -> None:
    sealing = SaltedSealing()
    sealed = sealing.seal("wbk_secret", "one")
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed, "two")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            sealing.unseal(bytes(changed), "one")


def test_nothing_of_the_text_is_seen_and_twice_is_not_the_same() -> None:
    sealing = SaltedSealing()
    first, second = (sealing.seal("wbk_secret", "one") for _ in range(2))
    assert first != second
    assert b"secret" not in first
