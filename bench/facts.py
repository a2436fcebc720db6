"""The document that every contender records, for contenders without HTTP. load.lua sends the same one."""

from domain.access import Caller, Permission
from domain.documents import Document, StoredObject
from domain.idempotency import fingerprint
from domain.ids import ApiKeyId, DocumentId, UserId, WorkspaceId, encode_ulid
from domain.paths import FolderPath, StoragePath
from domain.rate_limits import Tier
from ports.intents import Intent
from ports.system import Clock

FOLDER = "/clients/acme/ndas"
TAGS = ("nda", "confidentiality")
NAME = "Acme-NDA-2026.pdf"
MIME_TYPE = "application/pdf"
FILE_BYTES = 183204
"""The size of the file in the API's own example."""

OPERATION = "create_document"
HASHING_KEY = bytes(32)
"""The key that hashes idempotency keys."""

_OWNER = encode_ulid(1 << 120)


def sample(workspace: str, number: int, path: str, idempotency_key: str, now: Clock) -> tuple[Document, Intent]:
    """Return a document whose id has these 128 bits, and the intent to record it with an idempotency key."""
    home, at = WorkspaceId(workspace), now()
    caller = Caller(
        workspace_id=home,
        user_id=UserId(f"usr_{_OWNER}"),
        key_id=ApiKeyId(f"key_{_OWNER}"),
        permissions=frozenset(Permission),
        tier=Tier.UNMETERED,
        expires_at=None,
        request_id=f"req_{_OWNER}",
    )
    document = Document(
        id=DocumentId(f"doc_{encode_ulid(number)}"),
        workspace_id=home,
        name=NAME,
        description=None,
        mime_type=MIME_TYPE,
        storage_path=StoragePath(path),
        stored=StoredObject(size_bytes=FILE_BYTES, etag="187a2b3c4d5e6f70-2cba4", sha256="ab" * 32),
        folder=FolderPath(FOLDER),
        tags=TAGS,
        revision=1,
        created_by=caller.user_id,
        created_by_key=caller.key_id,
        created_at=at,
        updated_at=at,
    )
    members = {
        "name": NAME,
        "mime_type": MIME_TYPE,
        "storage_path": path,
        "size_bytes": FILE_BYTES,
        "folder": FOLDER,
        "tags": list(TAGS),
    }
    return document, Intent(
        operation=OPERATION,
        caller=caller,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint(OPERATION, workspace, members),
    )
