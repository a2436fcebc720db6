"""The closed set of refusals: each has the contract's code, its facts, and one sentence a person can act on.

What is not here is not a refusal: a dependency that is away is `ports.system.Unavailable`, anything else is a bug.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from domain.ids import DocumentId


class Refusal(Exception):
    """A request that is understood and answered with no. Nothing was written, nothing was charged."""

    code: ClassVar[str]

    @property
    def message(self) -> str:
        """One sentence that says what to do; it never repeats an id or a secret that was sent."""
        raise TypeError(f"{type(self).__name__} has no message")

    def __str__(self) -> str:
        return self.message


# eq=False: an exception is compared by identity, and must stay hashable.
@dataclass(eq=False)
class Invalid(Refusal):
    """Members, parameters or headers that break their rules: all of them, by name."""

    code = "validation_error"
    fields: Mapping[str, str]

    @property
    def message(self) -> str:
        # Not naming them: some are whatever the client sent.
        return "The request breaks a rule; correct what details.fields names and send it again."

    def __str__(self) -> str:
        return "; ".join(f"{field} {why}" for field, why in self.fields.items())


@dataclass(eq=False)
class InvalidKey(Refusal):
    """No key, or one that is malformed, unknown, expired or revoked: which of these is not told."""

    code = "invalid_key"

    @property
    def message(self) -> str:
        return "Send a valid API key as 'Authorization: Bearer wbk_…'."


@dataclass(eq=False)
class InsufficientPermissions(Refusal):
    code = "insufficient_permissions"
    permission: str

    @property
    def message(self) -> str:
        return f"This API key lacks the permission {self.permission}; use a key that has it."


@dataclass(eq=False)
class QuotaExceeded(Refusal):
    """Sizes in bytes; `requested_bytes` is what this document would have added."""

    code = "quota_exceeded"
    limit_bytes: int
    used_bytes: int
    requested_bytes: int

    @property
    def message(self) -> str:
        return "The workspace's storage quota does not hold this file; delete documents or raise the quota."


@dataclass(eq=False)
class NotFound(Refusal):
    """Unknown, malformed, or somebody else's: indistinguishable."""

    code = "not_found"

    @property
    def message(self) -> str:
        return "There is nothing at this address; check the path and the id."


@dataclass(eq=False)
class StorageConflict(Refusal):
    """The path is recorded already. `document_id` is `None` when that document is deleted: the path stays taken."""

    code = "storage_conflict"
    document_id: DocumentId | None

    @property
    def message(self) -> str:
        return "A document already exists at this storage_path; upload the file anew to get another path."


@dataclass(eq=False)
class ObjectChanged(Refusal):
    code = "object_changed"

    @property
    def message(self) -> str:
        return "The stored bytes are no longer those that were recorded; upload and record the file anew."


@dataclass(eq=False)
class DuplicateName(Refusal):
    """An active API key of the workspace has that name."""

    code = "duplicate_name"

    @property
    def message(self) -> str:
        return "An active API key has this name; choose another, or revoke that key first."


@dataclass(eq=False)
class FolderExists(Refusal):
    """Something is at the path a folder was to be moved to."""

    code = "duplicate_name"

    @property
    def message(self) -> str:
        return "A folder exists at 'to' already; choose another path, or move its documents one by one."


@dataclass(eq=False)
class PreconditionFailed(Refusal):
    """The record is no longer in the state that the caller has seen."""

    code = "precondition_failed"

    @property
    def message(self) -> str:
        return "The document has changed since; read it again, and send the request with its new ETag in If-Match."


@dataclass(eq=False)
class LastAdminKey(Refusal):
    """Without this key, nobody could manage the workspace's keys any more."""

    code = "insufficient_permissions"

    @property
    def message(self) -> str:
        return "This is the last active API key with admin:api_keys; create another one before you revoke it."


@dataclass(eq=False)
class IdempotencyMismatch(Refusal):
    code = "idempotency_mismatch"

    @property
    def message(self) -> str:
        return "This Idempotency-Key was used for a different request; use a new UUID for a new request."


@dataclass(eq=False)
class RateLimited(Refusal):
    """`retry_after`: whole seconds until the window that refused has ended."""

    code = "rate_limited"
    retry_after: int

    @property
    def message(self) -> str:
        return f"The rate limit is used up; try again in {self.retry_after} seconds."


@dataclass(eq=False)
class PayloadTooLarge(Refusal):
    code = "payload_too_large"
    limit_bytes: int

    @property
    def message(self) -> str:
        return f"This is more than is accepted here; send at most {self.limit_bytes} bytes."
