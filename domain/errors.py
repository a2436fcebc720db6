"""The domain errors, called refusals; the HTTP adapter adds those of its protocol.

Each refusal has the error code of the API, facts about the cause, and a message that says what the client can do. A
failed dependency is not a refusal, but raises `ports.system.Unavailable`. Any other exception is a bug.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from domain.ids import DocumentId
from domain.wording import counted


class Refusal(Exception):
    """A request was understood and refused. Nothing was written and nothing was charged."""

    code: ClassVar[str]

    @property
    def message(self) -> str:
        """The sentence that says what the client can do. It never repeats an id or a secret that the client sent."""
        raise TypeError(f"{type(self).__name__} has no message")

    def __str__(self) -> str:
        return self.message


# eq=False: an exception is compared by identity, and must stay hashable.
@dataclass(eq=False)
class Invalid(Refusal):
    """Members, parameters or headers are invalid. `fields` maps the name of each to the reason."""

    code = "validation_error"
    fields: Mapping[str, str]

    @property
    def message(self) -> str:
        # The text does not contain the names of members, because a client can send any text as a name.
        return "The request breaks a rule; correct what details.fields names and send it again."

    def __str__(self) -> str:
        return "; ".join(f"{field} {why}" for field, why in self.fields.items())


@dataclass(eq=False)
class InvalidKey(Refusal):
    """The API key is missing, malformed, unknown, expired or revoked. The message is the same for all five."""

    code = "invalid_key"

    @property
    def message(self) -> str:
        return "Send a valid API key as 'Authorization: Bearer wbk_…'."


@dataclass(eq=False)
class InsufficientPermissions(Refusal):
    """The caller's API key lacks `permission`."""

    code = "insufficient_permissions"
    permission: str

    @property
    def message(self) -> str:
        return f"This API key lacks the permission {self.permission}; use a key that has it."


@dataclass(eq=False)
class TierTooHigh(Refusal):
    """The caller's API key has the rate limits of `tier`, and the one that it wants to create has higher ones."""

    code = "insufficient_permissions"
    tier: str

    @property
    def message(self) -> str:
        return (
            f"This API key has the tier {self.tier} and cannot create one of a higher tier; send that rate_limit_tier, "
            "or use an API key of a higher tier."
        )


@dataclass(eq=False)
class QuotaExceeded(Refusal):
    """The file does not fit into the quota. Sizes are in bytes; `requested_bytes` is the size of the file.

    `used_bytes` includes what issued uploads have reserved.
    """

    code = "quota_exceeded"
    limit_bytes: int
    used_bytes: int
    requested_bytes: int

    @property
    def message(self) -> str:
        return (
            "This file does not fit into the workspace's storage quota, in which issued uploads count until they are "
            "recorded or expire; delete documents, wait, or raise the quota."
        )


@dataclass(eq=False)
class NotFound(Refusal):
    """The id is unknown, malformed or another workspace's. The response is the same for all three."""

    code = "not_found"

    @property
    def message(self) -> str:
        return "There is nothing at this address; check the path and the id."


@dataclass(eq=False)
class StorageConflict(Refusal):
    """The storage path is or was recorded. `document_id` is `None` if that document was deleted."""

    code = "storage_conflict"
    document_id: DocumentId | None

    @property
    def message(self) -> str:
        return "A document already exists at this storage_path; upload the file anew to get another path."


@dataclass(eq=False)
class ObjectExists(Refusal):
    """An object is or was stored at the path of an upload."""

    code = "precondition_failed"

    @property
    def message(self) -> str:
        return (
            "The file of this signed URL is stored already: record it with POST /v1/documents, or ask for a new URL to "
            "upload another file."
        )


@dataclass(eq=False)
class UploadUnderWay(Refusal):
    """Another upload through the same signed URL has not ended yet."""

    code = "storage_conflict"

    @property
    def message(self) -> str:
        return "Another upload through this signed URL is under way; wait until it has ended, or ask for a new URL."


@dataclass(eq=False)
class DiskFull(Refusal):
    """A disk of the service has less free space than the operator wants to keep."""

    code = "unavailable"

    @property
    def message(self) -> str:
        return "The server has too little free disk space for uploads; try again later, or tell the operator."


@dataclass(eq=False)
class ObjectChanged(Refusal):
    """The stored bytes are missing or differ from those that were recorded."""

    code = "object_changed"

    @property
    def message(self) -> str:
        return "The stored bytes are no longer those that were recorded; upload and record the file anew."


@dataclass(eq=False)
class DuplicateName(Refusal):
    """An active API key of the workspace already has that name."""

    code = "duplicate_name"

    @property
    def message(self) -> str:
        return "An active API key has this name; choose another, or revoke that key first."


@dataclass(eq=False)
class FolderExists(Refusal):
    """A folder with documents already exists at the target path of a move."""

    code = "duplicate_name"

    @property
    def message(self) -> str:
        return "A folder with documents exists at 'to'; choose another path, or move the documents one by one."


@dataclass(eq=False)
class FolderInUse(Refusal):
    """Documents are in the folder or below it."""

    code = "in_use"

    @property
    def message(self) -> str:
        return "Documents are in this folder or below it; move or delete them first."


@dataclass(eq=False)
class PreconditionFailed(Refusal):
    """A precondition of the request does not hold. `why` is the message: which one, and what to do."""

    code = "precondition_failed"
    why: str

    @property
    def message(self) -> str:
        return self.why


@dataclass(eq=False)
class LastAdminKey(Refusal):
    """The API key is the last one that can administer the workspace's API keys."""

    code = "insufficient_permissions"

    @property
    def message(self) -> str:
        return "This is the last active API key with admin:api_keys; create another one before you revoke it."


@dataclass(eq=False)
class IdempotencyMismatch(Refusal):
    """The idempotency key belongs to a different request."""

    code = "idempotency_mismatch"

    @property
    def message(self) -> str:
        return "This Idempotency-Key was used for a different request; use a new UUID for a new request."


@dataclass(eq=False)
class RateLimited(Refusal):
    """A rate limit is used up: `limit` requests in a `window`, such as a minute or a day.

    After `retry_after` whole seconds, every window whose limit was reached has ended.
    """

    code = "rate_limited"
    retry_after: int
    window: str
    limit: int

    @property
    def message(self) -> str:
        return (
            f"The limit of {counted(self.limit, 'request')} per {self.window} is used up; "
            f"the {self.window} ends in {counted(self.retry_after, 'second')}, try again then."
        )


@dataclass(eq=False)
class PayloadTooLarge(Refusal):
    """The body, or the size that the client declared, is larger than `limit_bytes`."""

    code = "payload_too_large"
    limit_bytes: int

    @property
    def message(self) -> str:
        return f"The content is too large; send at most {self.limit_bytes} bytes."
