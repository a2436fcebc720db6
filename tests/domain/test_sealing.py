"""A sealed text opens only with the secret of the deployment, and only for the receipt it was sealed for."""

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.in_process.sealing import SaltedSealing
from ports.intents import Intent
from tests.domain.samples import CALLER, FOREIGN, KEY

SECRET = bytes.fromhex("5fff4bbaca5d28ac389c59b3aa113e254229ba7d0713542fec370871e39d9272")
INTENT = Intent(operation="create_api_key", caller=CALLER, idempotency_key=KEY, fingerprint=b"\xab" * 32)
OTHERS = {
    "workspace": replace(INTENT, caller=replace(CALLER, workspace_id=FOREIGN)),
    "idempotency key": replace(INTENT, idempotency_key="7c9e6679-7425-40de-944b-e07fc1f90ae8"),
    "operation": replace(INTENT, operation="create_document"),
    "fingerprint": replace(INTENT, fingerprint=b"\xab" * 31 + b"\xac"),
}


@settings(max_examples=5)
@given(text=st.text())
def test_a_text_that_is_sealed_twice_differs_and_both_open(text: str) -> None:
    sealing = SaltedSealing(SECRET)
    first, second = (sealing.seal(text, INTENT) for _ in range(2))
    assert first != second
    assert sealing.unseal(first, INTENT) == sealing.unseal(second, INTENT) == text


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_sealed_text_does_not_open_in_another_receipt(other: Intent) -> None:
    sealing = SaltedSealing(SECRET)
    with pytest.raises(InvalidTag):
        sealing.unseal(sealing.seal("wbk_secret", INTENT), other)


def test_a_sealed_text_does_not_open_with_the_secret_of_another_deployment() -> None:
    with pytest.raises(InvalidTag):
        SaltedSealing(bytes(32)).unseal(SaltedSealing(SECRET).seal("wbk_secret", INTENT), INTENT)


def test_a_sealed_text_is_unreadable_and_a_changed_byte_is_detected() -> None:
    sealing = SaltedSealing(SECRET)
    sealed = sealing.seal("wbk_secret", INTENT)
    assert b"secret" not in sealed
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            sealing.unseal(bytes(changed), INTENT)


def test_a_text_that_an_earlier_version_sealed_still_opens() -> None:
    """Worked out without the code, as `tests/app/test_secret.py` pins the derived key."""
    sealed = "000102030405060708090a0b0c0d0e0fdf5a1e4213a91627c9426be932b13740977fd61df1349b0a"
    assert SaltedSealing(SECRET).unseal(bytes.fromhex(sealed), INTENT) == "wbk_4fT9"
