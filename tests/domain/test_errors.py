"""Refusals: each has a code and a sentence that a person can act on."""

import pytest

from domain.errors import (
    DuplicateName,
    FolderExists,
    FolderInUse,
    IdempotencyMismatch,
    InsufficientPermissions,
    Invalid,
    InvalidKey,
    LastAdminKey,
    NotFound,
    ObjectChanged,
    PayloadTooLarge,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    Refusal,
    StorageConflict,
    TierTooHigh,
)
from domain.ids import DocumentId

ID = DocumentId("doc_01HY0000000000000000000000")
REFUSALS: dict[str, Refusal] = {
    "duplicate_name": DuplicateName(),
    "validation_error": Invalid({"name": "is required", "tags": "must be an array of strings"}),
    "invalid_key": InvalidKey(),
    "insufficient_permissions": InsufficientPermissions("write:documents"),
    "quota_exceeded": QuotaExceeded(100, 90, 11),
    "not_found": NotFound(),
    "storage_conflict": StorageConflict(ID),
    "object_changed": ObjectChanged(),
    "precondition_failed": PreconditionFailed(),
    "idempotency_mismatch": IdempotencyMismatch(),
    "rate_limited": RateLimited(42, "minute", 10),
    "in_use": FolderInUse(),
    "payload_too_large": PayloadTooLarge(65_536),
}
ALIKE: list[Refusal] = [FolderExists(), TierTooHigh("standard"), LastAdminKey()]


def test_every_refusal_has_the_code_of_the_contract() -> None:
    known = {kind for kind in Refusal.__subclasses__() if kind.__module__ == Refusal.__module__}
    assert known == {type(refusal) for refusal in [*REFUSALS.values(), *ALIKE]}
    assert [refusal.code for refusal in REFUSALS.values()] == list(REFUSALS)
    assert [refusal.code for refusal in ALIKE] == ["duplicate_name", *["insufficient_permissions"] * 2]


@pytest.mark.parametrize("refusal", [*REFUSALS.values(), *ALIKE], ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_has_one_sentence_that_says_what_to_do(refusal: Refusal) -> None:
    assert str(refusal)
    assert refusal.message.endswith(".")
    assert refusal.message[0].isupper()
    assert refusal.message.isprintable()
    assert ID not in refusal.message
    # A dataclass exception would not be hashable with eq=True, and asyncio hashes exceptions.
    assert {refusal}


def test_invalid_fields_are_one_line_on_the_command_line() -> None:
    invalid = Invalid({"name": "is required", "tags": "must be an array of strings"})
    assert str(invalid) == "name is required; tags must be an array of strings"


def test_a_message_names_a_missing_permission_and_repeats_nothing_that_the_client_sent() -> None:
    assert "write:documents" in InsufficientPermissions("write:documents").message
    assert "wbk_secret" not in Invalid({"wbk_secret": "is not a member of this request; leave it out"}).message


def test_a_rate_limit_is_named_with_its_window_and_its_end() -> None:
    assert RateLimited(3600, "day", 10_000).message == (
        "The limit of 10000 requests per day is used up; the day ends in 3600 seconds, try again then."
    )
