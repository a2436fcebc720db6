"""Conversions between rows and values of the domain. Rows have ids without their prefix. The facts of a document are
one JSON object.

A create sends these facts, a receipt stores them and a read returns them in the same form, so one function decodes all.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from domain.documents import Document, StoredObject
from domain.entity_links import EntityLink, EntityType
from domain.idempotency import LIFETIME
from domain.ids import ApiKeyId, DocumentId, EntityLinkId, UserId, WorkspaceId, decode_ulid, encode_ulid
from domain.paths import FolderPath, StoragePath
from ports.intents import Intent
from ports.outcomes import OverQuota, PathTaken

Facts = dict[str, Any]

LEAST_ID = UUID(int=0)
"""Before all ids: the position before the first page of a list in the order of ids."""

ATTEMPT_LIFETIME = timedelta(minutes=5)
"""The time for which the receipt of a call without an idempotency key is valid. A call is retried for a far shorter
time."""


def to_uuid(prefixed: str) -> UUID:
    """Return the UUID that has the same 128 bits as a prefixed id."""
    return UUID(int=decode_ulid(prefixed.rpartition("_")[2]))


def from_uuid(prefix: str, value: UUID | str) -> str:
    """Return the prefixed id that has the same 128 bits as a UUID."""
    return prefix + encode_ulid(value.int if isinstance(value, UUID) else int(value.replace("-", ""), 16))


def to_hex(prefixed: str) -> str:
    """Return a prefixed id as hexadecimal text, which Postgres casts to a uuid."""
    return f"{decode_ulid(prefixed.rpartition('_')[2]):032x}"


# The ids of workspaces, users and API keys recur from call to call. A conversion takes 1 µs, and a create needs five.
_recurring_to_hex = lru_cache(maxsize=4096)(to_hex)
_recurring_from_uuid = lru_cache(maxsize=4096)(from_uuid)


def hash_idempotency_key(intent: Intent, hashing_key: bytes) -> UUID:
    """Return the name of the intent's receipt: 128 bits of a keyed hash of its workspace and its idempotency key.

    The idempotency key itself is never stored, because the receipt may hold an API key that is encrypted under it. A
    hash without a secret key would confirm guesses to a reader of the database. So would one without the workspace: a
    tenant who reads the database could send guesses in another workspace, and compare.
    """
    message = f"{intent.caller.workspace_id} {intent.idempotency_key}"
    # BLAKE2b is a MAC by itself (RFC 7693) and takes 1.0 us. HMAC-SHA256 takes 2.4, because OpenSSL 3 looks the
    # algorithm up in each call; SHA-256 without a key takes 0.8.
    return UUID(bytes=hashlib.blake2b(message.encode(), key=hashing_key, digest_size=16).digest())


def to_intent(intent: Intent, at: datetime, hashing_key: bytes, attempt: UUID | None = None) -> Facts:
    """Return an intent as the database functions read it, in values that msgspec encodes as JSON.

    The receipt stores the `attempt`. Without an idempotency key, the attempt is also the name of the receipt, which is
    valid for `ATTEMPT_LIFETIME`.
    """
    key_hash, lifetime = (
        (attempt, ATTEMPT_LIFETIME)
        if intent.idempotency_key is None
        else (hash_idempotency_key(intent, hashing_key), LIFETIME)
    )
    return {
        "operation": intent.operation,
        "fingerprint": intent.fingerprint.hex(),
        "key_hash": key_hash,
        "receipt_expires_at": at + lifetime,
        "attempt": attempt,
        "user_id": _recurring_to_hex(intent.caller.user_id),
        "key_id": _recurring_to_hex(intent.caller.key_id),
        "request_id": intent.caller.request_id,
    }


def to_json(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()


def to_facts(document: Document) -> Facts:
    """Return a document as values that msgspec encodes as JSON."""
    stored = document.stored
    return {
        "id": to_hex(document.id),
        "workspace_id": _recurring_to_hex(document.workspace_id),
        "name": document.name,
        "description": document.description,
        "mime_type": document.mime_type,
        "storage_path": document.storage_path,
        "size_bytes": stored.size_bytes,
        "etag": stored.etag,
        "sha256": stored.sha256,
        "version_id": stored.version_id,
        "folder": document.folder,
        "tags": list(document.tags),
        "revision": document.revision,
        "created_by": _recurring_to_hex(document.created_by),
        "created_by_key": _recurring_to_hex(document.created_by_key),
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }


def from_facts(text: str) -> Document:
    """Return the document that JSON text describes."""
    return to_document(msgspec.json.decode(text))


def to_document(facts: Facts) -> Document:
    """Return the document that decoded JSON describes."""
    return Document(
        id=DocumentId(from_uuid("doc_", facts["id"])),
        workspace_id=WorkspaceId(_recurring_from_uuid("ws_", facts["workspace_id"])),
        name=facts["name"],
        description=facts["description"],
        mime_type=facts["mime_type"],
        storage_path=StoragePath(facts["storage_path"]),
        stored=StoredObject(
            size_bytes=facts["size_bytes"],
            etag=facts["etag"],
            sha256=facts["sha256"],
            version_id=facts["version_id"],
        ),
        folder=None if facts["folder"] is None else FolderPath(facts["folder"]),
        tags=tuple(facts["tags"]),
        revision=facts["revision"],
        created_by=UserId(_recurring_from_uuid("usr_", facts["created_by"])),
        created_by_key=ApiKeyId(_recurring_from_uuid("key_", facts["created_by_key"])),
        created_at=to_time(facts["created_at"]),
        updated_at=to_time(facts["updated_at"]),
    )


def to_link(facts: Facts) -> EntityLink:
    """Return the entity link that decoded JSON describes."""
    return EntityLink(
        id=EntityLinkId(from_uuid("dlnk_", facts["id"])),
        document_id=DocumentId(from_uuid("doc_", facts["document_id"])),
        entity_type=EntityType(facts["entity_type"]),
        entity_id=facts["entity_id"],
        role=facts["role"],
        created_at=to_time(facts["created_at"]),
    )


def to_time(text: str) -> datetime:
    """Return the time in a JSON string, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def to_path_taken(text: str) -> PathTaken:
    """Return the outcome that JSON text describes."""
    holder = msgspec.json.decode(text)["document_id"]
    return PathTaken(None if holder is None else DocumentId(from_uuid("doc_", holder)))


def to_over_quota(text: str) -> OverQuota:
    """Return the outcome that JSON text describes."""
    return OverQuota(**msgspec.json.decode(text))
