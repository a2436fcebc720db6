"""Domain errors. Each has a code and a message that says what the client can do."""

import pytest

from domain import errors
from domain.errors import Refusal
from domain.ids import DocumentId
from domain.preconditions import Precondition

ID = DocumentId("doc_01HY0000000000000000000000")
REFUSALS: dict[str, Refusal] = {
    "duplicate_name": errors.DuplicateName(),
    "validation_error": errors.Invalid({"name": "is required", "tags": "must be an array of strings"}),
    "invalid_key": errors.InvalidKey(),
    "insufficient_permissions": errors.InsufficientPermissions("write:documents"),
    "quota_exceeded": errors.QuotaExceeded(100, 90, 11),
    "not_found": errors.NotFound(),
    "storage_conflict": errors.StorageConflict(ID),
    "object_changed": errors.ObjectChanged(),
    "precondition_failed": errors.PreconditionFailed(Precondition(frozenset({"1"})).unmet),
    "idempotency_mismatch": errors.IdempotencyMismatch(),
    "rate_limited": errors.RateLimited(42, "minute", 10),
    "in_use": errors.FolderInUse(),
    "unavailable": errors.DiskFull(),
    "payload_too_large": errors.PayloadTooLarge(65_536),
}
ALIKE: list[Refusal] = [
    errors.FolderExists(),
    errors.TierTooHigh("standard"),
    errors.LastAdminKey(),
    errors.ObjectExists(),
    errors.UploadUnderWay(),
]


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
    message = errors.PreconditionFailed(precondition.unmet).message
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
    invalid = errors.Invalid({"name": "is required", "tags": "must be an array of strings"})
    assert str(invalid) == "name is required; tags must be an array of strings"


def test_a_message_names_a_missing_permission_and_repeats_nothing_that_the_client_sent() -> None:
    assert "write:documents" in errors.InsufficientPermissions("write:documents").message
    assert "wbk_secret" not in errors.Invalid({"wbk_secret": "is not a member of this request; leave it out"}).message


def test_a_limit_of_one_request_and_a_wait_of_one_second_are_in_the_singular() -> None:
    message = "The limit of 1 request per minute is used up; the minute ends in 1 second, try again then."
    assert errors.RateLimited(1, "minute", 1).message == message
