"""Domain errors. Each has a code and a message that says what the client can do."""

import pytest

from domain.errors import (
    DiskFull,
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
    ObjectExists,
    PayloadTooLarge,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    Refusal,
    StorageConflict,
    TierTooHigh,
    UploadUnderWay,
)
from domain.ids import DocumentId
from domain.preconditions import Precondition

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
    "precondition_failed": PreconditionFailed(Precondition(frozenset({"1"})).unmet),
    "idempotency_mismatch": IdempotencyMismatch(),
    "rate_limited": RateLimited(42, "minute", 10),
    "in_use": FolderInUse(),
    "unavailable": DiskFull(),
    "payload_too_large": PayloadTooLarge(65_536),
}
ALIKE: list[Refusal] = [FolderExists(), TierTooHigh("standard"), LastAdminKey(), ObjectExists(), UploadUnderWay()]


STATES = frozenset({"1"})


@pytest.mark.parametrize(
    ("precondition", "named"),
    [
        (Precondition(STATES), {"If-Match"}),
        (Precondition(refused=STATES), {"If-None-Match"}),
        (Precondition(frozenset()), {"If-None-Match"}),
        (Precondition(STATES, STATES), {"If-Match", "If-None-Match"}),
    ],
)
def test_an_unmet_precondition_is_named_in_the_message(precondition: Precondition, named: set[str]) -> None:
    message = PreconditionFailed(precondition.unmet).message
    assert {name for name in ("If-Match", "If-None-Match") if name in message} == named


def test_every_refusal_has_the_code_of_the_contract() -> None:
    known = {kind for kind in Refusal.__subclasses__() if kind.__module__ == Refusal.__module__}
    assert known == {type(refusal) for refusal in [*REFUSALS.values(), *ALIKE]}
    assert [refusal.code for refusal in REFUSALS.values()] == list(REFUSALS)
    codes = ["duplicate_name", *["insufficient_permissions"] * 2, "precondition_failed", "storage_conflict"]
    assert [refusal.code for refusal in ALIKE] == codes


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


def test_a_limit_of_one_request_and_a_wait_of_one_second_are_in_the_singular() -> None:
    message = "The limit of 1 request per minute is used up; the minute ends in 1 second, try again then."
    assert RateLimited(1, "minute", 1).message == message
