"""Change and delete documents."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Changes
from domain.errors import IdempotencyMismatch, Invalid, NotFound, PreconditionFailed
from domain.ids import DocumentId, parse_document_id
from domain.members import Members
from domain.paths import TOO_MANY_FOLDERS
from domain.preconditions import UNCONDITIONAL, Precondition
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Deleted, IdempotencyKeyReused, NoSuchDocument, Patched, StateMismatch, TooManyFolders
from ports.storage import Deletions, ObjectStorage
from ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChanges:
    """What a caller who may not read documents sees of a document that it has changed: no more than it sent.

    `changes` has the values as recorded. `state` is that of the document after the change.
    """

    id: DocumentId
    state: str
    changes: Changes
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDocument:
    """Change the name, description, folder, tags or media type of a document. The stored bytes do not change.

    - Only the members that are sent change. `tags` replaces all tags; `null` clears an optional member.
    - With `If-Match`, the change is refused unless the record still has that `ETag`, so no other client's change is
      overwritten. Without it, the last change wins.
    - A new folder and every folder above it are created.
    - A request that changes nothing keeps `ETag` and `updated_at`.
    - With an `Idempotency-Key`, a repeated request within 24 hours changes nothing and returns the first response, even
      if `If-Match` names an `ETag` that the first request has changed.
    - The response is the whole record. To an API key without `read:documents`, it has only `id`, the members that were
      sent, as recorded, and the `ETag`.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self,
        caller: Caller,
        document: str,
        members: Members,
        idempotency_key: str | None,
        precondition: Precondition = UNCONDITIONAL,
    ) -> Patched | OwnChanges:
        caller.require(self.permission)
        changes = Changes.read(members)
        document_id = parse_document_id(document)
        if document_id is None:
            raise NotFound
        outcome = await self.documents.patch(
            document_id,
            changes,
            precondition=precondition,
            at=self.now(),
            intent=Intent.of("patch_document", document_id, members, caller=caller, idempotency_key=idempotency_key),
        )
        match outcome:
            case Patched() if caller.may(Permission.READ_DOCUMENTS):
                return outcome
            case Patched(found, replayed):
                state = found.document.state
                return OwnChanges(id=document_id, state=state, changes=changes, replayed=replayed)
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case StateMismatch():
                raise PreconditionFailed(precondition.unmet)
            case TooManyFolders():
                raise Invalid({"folder": TOO_MANY_FOLDERS})
            case _:
                assert_never(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDocument:
    """Delete a document: its record, its entity links and its stored bytes.

    - The record and its entity links are deleted at once, and its size is returned to the quota.
    - The bytes are deleted within the hour, or at once with `hard=true`, which also needs `admin:documents`. No other
      document can be recorded at the `storage_path`.
    - With `If-Match`, the request is refused unless the record still has that `ETag`.
    - With an `Idempotency-Key`, a repeated request within 24 hours returns the first response.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    deletions: Deletions
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self,
        caller: Caller,
        document: str,
        idempotency_key: str | None,
        precondition: Precondition = UNCONDITIONAL,
        *,
        hard: bool = False,
    ) -> bool:
        """Delete the document; return whether an earlier request with this idempotency key deleted it."""
        caller.require(self.permission, *([Permission.ADMIN_DOCUMENTS] if hard else ()))
        document_id = parse_document_id(document)
        if document_id is None:
            raise NotFound
        outcome = await self.documents.delete(
            document_id,
            precondition=precondition,
            at=self.now(),
            intent=Intent.of(
                "delete_document", document_id, {"hard": hard}, caller=caller, idempotency_key=idempotency_key
            ),
        )
        match outcome:
            case Deleted(path, replayed):
                if hard:
                    # The object is also deleted after a replay, because the store may have been unavailable the first
                    # time. The path is condemned, so no create can use it again.
                    await self.storage.delete([path])
                else:
                    self.deletions.note(path)
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case StateMismatch():
                raise PreconditionFailed(precondition.unmet)
            case _:
                assert_never(outcome)
