"""Change and delete documents."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Changes
from domain.errors import IdempotencyMismatch, Invalid, NotFound, PreconditionFailed
from domain.idempotency import parse_idempotency_key
from domain.ids import parse_document_id
from domain.members import Members
from domain.paths import TOO_MANY_FOLDERS
from domain.preconditions import UNCONDITIONAL, Precondition
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Deleted, IdempotencyKeyReused, NoSuchDocument, Patched, StateMismatch, TooManyFolders
from ports.queries import DocumentWithLinks
from ports.storage import ObjectStorage
from ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDocument:
    """Change the name, description, folder, tags or media type of a document. The stored bytes do not change.

    - Only the members that are sent change. `tags` replaces all tags; `null` clears an optional member.
    - With `If-Match`, the change is refused unless the record still has that `ETag`, so no other client's change is
      overwritten. Without it, the last change wins.
    - A new folder and every folder above it are created.
    - A request that changes nothing keeps `ETag` and `updated_at`.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self, caller: Caller, document: str, members: Members, precondition: Precondition = UNCONDITIONAL
    ) -> DocumentWithLinks:
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
            intent=Intent.of("patch_document", document_id, members, caller=caller),
        )
        match outcome:
            case Patched(found):
                return found
            case NoSuchDocument():
                raise NotFound
            case StateMismatch():
                raise PreconditionFailed
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
        key = parse_idempotency_key(idempotency_key)
        document_id = parse_document_id(document)
        if document_id is None:
            raise NotFound
        outcome = await self.documents.delete(
            document_id,
            precondition=precondition,
            at=self.now(),
            intent=Intent.of("delete_document", document_id, {"hard": hard}, caller=caller, idempotency_key=key),
        )
        match outcome:
            case Deleted(path, replayed):
                if hard:
                    # Also after a replay: the store may have been unavailable the first time. The path is condemned,
                    # so no create can use it again.
                    await self.storage.delete([path])
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case StateMismatch():
                raise PreconditionFailed
            case _:
                assert_never(outcome)
