"""Record a document whose bytes are already in the object store."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Document, Draft, StoredObject
from domain.errors import IdempotencyMismatch, Invalid, QuotaExceeded, StorageConflict
from domain.idempotency import parse_idempotency_key
from domain.ids import DocumentId
from domain.members import Members, read_together
from domain.paths import TOO_MANY_FOLDERS
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, OverQuota, PathTaken, Replayed, TooManyFolders
from ports.storage import ObjectStorage
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True)
class Recorded:
    """The document as it was recorded. `replayed` if an earlier request with the same idempotency key recorded it."""

    document: Document
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDocument:
    """Record a document whose bytes are already stored.

    - Upload the bytes first, through a signed URL from `POST /v1/documents/upload-url`. `storage_path` is the path that
      it returned, or the key of any other stored object of the workspace.
    - An object must exist at `storage_path`. `size_bytes`, if sent, must be its size; otherwise it is filled in. The
      stored size is charged to the workspace's quota.
    - A path is recorded at most once. A second document there is refused, even after the first one was deleted.
    - The folder and every folder above it are created.
    - With an `Idempotency-Key`, a repeated request within 24 hours records nothing and returns the first response. A
      refused or failed request leaves the `Idempotency-Key` free.
    - A refused request has written nothing and charged nothing.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members, idempotency_key: str | None) -> Recorded:
        """Record the document. `idempotency_key` is the header as the client sent it."""
        caller.require(self.permission)
        draft, key = read_together(
            lambda: Draft.read(members, caller.workspace_id), lambda: parse_idempotency_key(idempotency_key)
        )
        intent = Intent.of("create_document", caller.workspace_id, members, caller=caller, idempotency_key=key)

        outcome: CreateOutcome | None
        stored = await self.storage.stat(draft.storage_path)
        if stored is None or draft.size_bytes not in (None, stored.size_bytes):
            # Not refused yet: the object may have gone since an earlier request recorded it, and its retry gets that
            # response.
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
            case TooManyFolders():
                raise Invalid({"folder": TOO_MANY_FOLDERS})
            case _:
                assert_never(outcome)


def _mismatch(stored: StoredObject | None) -> dict[str, str]:
    if stored is None:
        return {"storage_path": "has no stored object; upload the file first"}
    return {"size_bytes": f"must be the size of the stored object, {stored.size_bytes}, or be left out"}
