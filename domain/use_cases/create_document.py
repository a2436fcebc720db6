"""The one this service exists for."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Document, Draft, StoredObject
from domain.errors import IdempotencyMismatch, Invalid, QuotaExceeded, StorageConflict
from domain.ids import DocumentId
from domain.members import Members
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, OverQuota, PathTaken, Replayed
from ports.storage import ObjectStorage
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True)
class Recorded:
    """The document as it was when it was recorded; `replayed` when that was in an earlier request."""

    document: Document
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDocument:
    """Record a document whose bytes are already stored.

    - The bytes are uploaded first, through a signed URL from `POST /v1/documents/upload-url`; `storage_path` is the
      path that call returned, or any other object key of the workspace where bytes lie.
    - Bytes must lie at `storage_path`. `size_bytes`, when sent, must be their size; when not, it is filled in. The
      stored size is charged to the workspace's quota.
    - A path is recorded once: a second document at it is refused, even after the first was deleted.
    - The folder, and every folder above it, comes into being with the document.
    - With an `Idempotency-Key`, the same request sent again within 24 hours records nothing and gets the first answer
      again. A refused or failed request leaves the key free.
    - All or nothing: whatever is refused has written nothing and charged nothing.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members, idempotency_key: str | None) -> Recorded:
        caller.require(self.permission)
        draft = Draft.read(members, caller.workspace_id)
        intent = Intent.of(
            "create_document", caller.workspace_id, members, caller=caller, idempotency_key=idempotency_key
        )

        outcome: CreateOutcome | None
        stored = await self.storage.stat(draft.storage_path)
        if stored is None or draft.size_bytes not in (None, stored.size_bytes):
            # Not refused yet: bytes may be gone since an earlier request recorded them, and its retry gets its answer.
            outcome = await self.documents.receipt(intent)
        else:
            at = self.now()
            document = Document(
                id=DocumentId("doc_" + self.new_id(at)),
                workspace_id=caller.workspace_id,
                name=draft.name,
                description=draft.description,
                mime_type=draft.mime_type,
                storage_path=draft.storage_path,
                stored=stored,
                folder=draft.folder,
                tags=draft.tags,
                revision=1,
                created_by=caller.user_id,
                created_by_key=caller.key_id,
                created_at=at,
                updated_at=at,
            )
            outcome = await self.documents.create(document, intent)

        match outcome:
            case None:
                raise Invalid(_mismatch(stored))
            case Created(document):
                return Recorded(document, replayed=False)
            case Replayed(document):
                return Recorded(document, replayed=True)
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case PathTaken(document_id):
                raise StorageConflict(document_id)
            case OverQuota(limit_bytes, used_bytes, requested_bytes):
                raise QuotaExceeded(limit_bytes, used_bytes, requested_bytes)
            case _:
                assert_never(outcome)


def _mismatch(stored: StoredObject | None) -> dict[str, str]:
    if stored is None:
        return {"storage_path": "names no stored object; upload the file first"}
    return {"size_bytes": f"must be the size of the stored object, {stored.size_bytes}, or be left out"}
