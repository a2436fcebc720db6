"""Changing and deleting what is recorded of a document."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Changes, Revisions
from domain.errors import IdempotencyMismatch, NotFound, PreconditionFailed
from domain.ids import parse_document_id
from domain.members import Members
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Deleted, IdempotencyKeyReused, NoSuchDocument, Patched, RevisionMismatch
from ports.queries import DocumentWithLinks
from ports.storage import ObjectStorage
from ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDocument:
    """Change the name, the description, the folder or the tags of a document; the bytes stay as they are.

    - Only what is sent changes. `tags` are replaced as a whole; `null` clears what may be absent.
    - With `If-Match`, nothing changes unless the record is in the state of that `ETag`: so nobody's change is lost
      under another one. Without it, the last change wins.
    - A folder, and every folder above it, comes into being with the document.
    - What changes nothing leaves `ETag` and `updated_at` as they are.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self, caller: Caller, id_as_sent: str, members: Members, expected_revisions: Revisions | None = None
    ) -> DocumentWithLinks:
        caller.require(self.permission)
        changes = Changes.read(members)
        id_ = parse_document_id(id_as_sent)
        if id_ is None:
            raise NotFound
        outcome = await self.documents.patch(
            id_,
            changes,
            expected_revisions=expected_revisions,
            at=self.now(),
            intent=Intent.of("patch_document", id_, members, caller=caller),
        )
        match outcome:
            case Patched(found):
                return found
            case NoSuchDocument():
                raise NotFound
            case RevisionMismatch():
                raise PreconditionFailed
            case _:
                assert_never(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDocument:
    """Delete a document: its record, its links, and its bytes.

    - The record and its links are gone at once, and its size is given back to the quota.
    - The bytes are deleted within the hour; at once with `hard=true`, which needs `admin:documents` too. Its
      `storage_path` stays taken.
    - With `If-Match`, nothing is deleted unless the record is in the state of that `ETag`.
    - With an `Idempotency-Key`, the same request sent again within 24 hours gets the first answer again.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self,
        caller: Caller,
        id_as_sent: str,
        idempotency_key: str | None,
        expected_revisions: Revisions | None = None,
        *,
        hard: bool = False,
    ) -> bool:
        """Whether that was done by an earlier request with this Idempotency-Key."""
        caller.require(self.permission, *([Permission.ADMIN_DOCUMENTS] if hard else ()))
        id_ = parse_document_id(id_as_sent)
        if id_ is None:
            raise NotFound
        outcome = await self.documents.delete(
            id_,
            expected_revisions=expected_revisions,
            at=self.now(),
            intent=Intent.of("delete_document", id_, {"hard": hard}, caller=caller, idempotency_key=idempotency_key),
        )
        match outcome:
            case Deleted(path, replayed):
                if hard:
                    # After a replay too: the store may have been away the first time. No create takes this path again.
                    await self.storage.delete([path])
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case RevisionMismatch():
                raise PreconditionFailed
            case _:
                assert_never(outcome)
