"""What the API returns, as values. Members that this version does not know are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class LinkedEntity:
    """The entity of an entity link."""

    entity_type: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Document:
    """A recorded document. Times are in UTC.

    Lists omit `sha256` and `linked_entities`. `sha256` is that of the stored bytes, or None if the object store does
    not know it. `etag` names this state for `if_match`. The download URL works for 15 minutes.
    """

    id: str
    name: str
    mime_type: str
    size_bytes: int
    storage_path: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    folder: str | None = None
    tags: Sequence[str] = ()
    created_by: str | None = None
    sha256: str | None = None
    linked_entities: Sequence[LinkedEntity] = ()
    download_url: str | None = None
    download_url_expires_at: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Documents of a list, newest first. At its end, `next_cursor` is None. `total` is exact if `total_is_exact`."""

    documents: Sequence[Document]
    total: int
    total_is_exact: bool
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document that is linked to an entity, as that entity's list shows it."""

    id: str
    name: str
    mime_type: str
    size_bytes: int
    created_at: datetime
    linked_at: datetime
    folder: str | None = None
    tags: Sequence[str] = ()
    role: str | None = None


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """A signed URL that stores one file. Send exactly `headers` with it, and no API key."""

    upload_url: str
    method: str
    headers: Mapping[str, str]
    storage_path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EntityLink:
    """The relation of a document to an entity of another system."""

    link_id: str
    document_id: str
    entity_type: str
    entity_id: str
    role: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """The path of a folder, and the number of documents in it and below it."""

    folder: str
    documents: int


@dataclass(frozen=True, slots=True)
class MovedFolder:
    """The new path of a folder. With many documents, not all are counted; then `documents_is_exact` is false."""

    folder: str
    documents: int
    documents_is_exact: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and the number of documents that have it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The quota of the workspace, and what of it is used, in bytes."""

    used_bytes: int
    quota_bytes: int
    documents: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key. `key` is present only in the answer to its creation."""

    id: str
    prefix: str
    name: str
    permissions: Sequence[str]
    created_at: datetime
    description: str | None = None
    rate_limit_tier: str | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    key: str | None = None


def read(kind: type[V], data: Mapping[str, Any], **more: Any) -> V:
    """Return `data` of a response as a value of this class. `more` replaces members."""
    values = {
        item.name: _time(data[item.name]) if item.name.endswith("_at") else data[item.name]
        for item in fields(kind)  # type: ignore[arg-type]  # every class of this module is a dataclass
        if item.name in data
    }
    return kind(**values | more)


def read_document(data: Mapping[str, Any], etag: str | None = None) -> Document:
    """Return a document of a response with the ETag of that response."""
    linked = tuple(read(LinkedEntity, link) for link in data.get("linked_entities") or ())
    return read(Document, data, linked_entities=linked, tags=tuple(data.get("tags") or ()), etag=etag)


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC)
