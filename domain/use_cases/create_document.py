"""Record a document whose bytes are already in the object store."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import Document, Draft, StoredObject
from domain.errors import IdempotencyMismatch, Invalid, QuotaExceeded, StorageConflict
from domain.ids import DocumentId
from domain.members import Members
from domain.paths import TOO_MANY_FOLDERS
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import Created, CreateOutcome, IdempotencyKeyReused, OverQuota, PathTaken, Replayed, TooManyFolders
from ports.storage import ObjectStorage, Unreadable
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True)
class Recorded:
    """The document as it was recorded. `replayed` is true if an earlier request with the same idempotency key recorded
    it."""

    document: Document
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDocument:
    """Record a document whose bytes are already stored.

    - Upload the bytes first, through a signed URL from `POST /v1/documents/upload-url`. `storage_path` is the path that
      it returned, or the object key of any other stored object of the workspace.
    - An object must exist at `storage_path`, and readers must get exactly its bytes: on some stores, an upload that was
      sent with a `Content-Encoding` is refused here. `size_bytes`, if sent, must be the object's size; otherwise it is
      filled in. The stored size is charged to the workspace's quota.
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
        caller.require(self.permission)
        draft = Draft.read(members, caller.workspace_id)
        intent = Intent.of(
            "create_document", caller.workspace_id, members, caller=caller, idempotency_key=idempotency_key
        )

        outcome: CreateOutcome | None
        stored = await self.storage.stat(draft.storage_path)
        if not isinstance(stored, StoredObject) or draft.size_bytes not in (None, stored.size_bytes):
            # Do not refuse yet: the object may have been deleted since an earlier request recorded it, and a retry of
            # that request gets the same response.
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
                raise Invalid(_mismatch(stored, caller))
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


def _mismatch(stored: StoredObject | Unreadable | None, caller: Caller) -> dict[str, str]:
    match stored:
        case None:
            return {"storage_path": "has no stored object; upload the file first"}
        case Unreadable(why):
            return {
                "storage_path": f"has an object that {why}; ask for a new upload URL, and upload the file again with "
                "exactly the headers that are returned"
            }
        case StoredObject(size_bytes=size_bytes):
            # The object may be that of a recorded document, which the caller may not be allowed to read.
            size = f", {size_bytes}," if caller.may(Permission.READ_DOCUMENTS) else ""
            return {"size_bytes": f"must be the size of the stored object{size} or be left out"}
