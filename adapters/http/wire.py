"""What goes over the wire, member by member in the order of the contract. Requests are read by `domain`'s rules."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from domain import access, documents
from domain.access import ApiKey, Permission, Tier
from domain.documents import Document
from domain.paths import STORAGE_PATH_MAX_BYTES
from domain.use_cases.get_document import Found
from domain.use_cases.request_upload import UPLOAD_LIMIT_BYTES, Upload
from ports.documents import Usage

T = TypeVar("T")

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=documents.NAME_MAX,
        description="Display name of the document: not blank, no control characters. Kept in NFC.",
        examples=["Acme-NDA-2026.pdf"],
    ),
]
MimeType = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=documents.MIME_TYPE_MAX,
        description="Media type in the syntax of RFC 6838, parameters allowed.",
        examples=["application/pdf"],
    ),
]
StoragePath = Annotated[
    str,
    Meta(
        max_length=STORAGE_PATH_MAX_BYTES,
        description="Object key where the uploaded bytes lie, under `workspaces/<your workspace>/`.",
        examples=["workspaces/ws_01HY0000000000000000000000/documents/01HY0000000000000000000000/Acme-NDA-2026.pdf"],
    ),
]
SizeBytes = Annotated[int, Meta(ge=0, le=documents.SIZE_MAX, description="Size in bytes.", examples=[183204])]
Description = Annotated[str, Meta(max_length=documents.DESCRIPTION_MAX, description="Free text; newlines allowed.")]
Folder = Annotated[
    str,
    Meta(
        description="Folder path, made on demand; absent, `null` and `/` are the root.",
        examples=["/clients/acme/ndas"],
    ),
]
Tag = Annotated[str, Meta(min_length=1, max_length=documents.TAG_MAX)]
Tags = Annotated[list[Tag], Meta(max_length=documents.TAGS_MAX, examples=[["nda", "confidentiality"]])]
Sha256 = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", description="SHA-256 of the bytes, 64 hex digits.")]
Time = Annotated[datetime, Meta(description="UTC, whole seconds.", examples=["2026-04-17T10:45:00Z"])]


class Envelope(Struct, Generic[T]):
    """Every success."""

    data: T


class PageMeta(Struct):
    """Which page this is, of how many rows in all."""

    page: int
    per_page: int
    total: int


class Paged(Struct, Generic[T]):
    """Every list: `meta` says which part of it `data` holds."""

    data: T
    meta: PageMeta


class CreateDocumentBody(Struct, forbid_unknown_fields=True):
    """A document to record."""

    name: Name
    mime_type: MimeType
    storage_path: StoragePath
    size_bytes: SizeBytes | None = None
    description: Description | None = None
    folder: Folder | None = None
    tags: Tags | None = None


class RequestUploadBody(Struct, forbid_unknown_fields=True):
    """A file to upload."""

    name: Name
    mime_type: MimeType
    size_bytes: Annotated[int, Meta(ge=0, le=UPLOAD_LIMIT_BYTES, description="Size in bytes.")] | None = None
    sha256: Sha256 | None = None


class UploadLink(Struct):
    """A request that stores the file: `method` to `upload_url` with exactly `headers`."""

    upload_url: str
    method: str
    headers: dict[str, str]
    storage_path: StoragePath
    expires_at: Time

    @classmethod
    def of(cls, upload: Upload) -> "UploadLink":
        return cls(
            upload_url=upload.request.url,
            method=upload.request.method,
            headers=dict(upload.request.headers),
            storage_path=upload.path,
            expires_at=_seconds(upload.request.expires_at),
        )


class DocumentRecord(Struct):
    """A document as it is recorded."""

    id: str
    name: Name
    description: Description | None
    mime_type: MimeType
    size_bytes: SizeBytes
    storage_path: StoragePath
    folder: Folder | None
    tags: Tags
    created_by: str
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, document: Document) -> "DocumentRecord":
        return cls(
            id=document.id,
            name=document.name,
            description=document.description,
            mime_type=document.mime_type,
            size_bytes=document.stored.size_bytes,
            storage_path=document.storage_path,
            folder=document.folder,
            tags=list(document.tags),
            created_by=document.created_by,
            created_at=_seconds(document.created_at),
            updated_at=_seconds(document.updated_at),
        )


class LinkedEntity(Struct):
    """Something of the client's that the document is linked to."""

    entity_type: str
    entity_id: str


class DocumentDetail(Struct, kw_only=True):
    """A document as it is recorded, with a way to its bytes unless `download=false`."""

    id: str
    name: Name
    description: Description | None
    mime_type: MimeType
    size_bytes: SizeBytes
    storage_path: StoragePath
    folder: Folder | None
    tags: Tags
    linked_entities: list[LinkedEntity]
    download_url: str | UnsetType = UNSET
    download_url_expires_at: Time | UnsetType = UNSET
    created_by: str
    created_at: Time
    updated_at: Time
    sha256: Sha256 | None

    @classmethod
    def of(cls, found: Found) -> "DocumentDetail":
        document, download = found.document, found.download
        return cls(
            **structs.asdict(DocumentRecord.of(document)),
            # Nothing can be linked yet; the member stands so that clients need not change when it can.
            linked_entities=[],
            download_url=download.url if download else UNSET,
            download_url_expires_at=_seconds(download.expires_at) if download else UNSET,
            sha256=document.stored.sha256,
        )


KeyName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=access.LABEL_MAX,
        description="What the key is for: not blank, and no other active key's.",
        examples=["Intake form"],
    ),
]
Permissions = Annotated[
    list[Permission],
    Meta(min_length=1, description="What the key may do; none implies another.", examples=[["read:documents"]]),
]
RateLimitTier = Annotated[
    Tier, Meta(description="How the plan's rate limits apply: as they are, ten times as much, or not at all.")
]


class CreateApiKeyBody(Struct, forbid_unknown_fields=True):
    """An API key to make."""

    name: KeyName
    permissions: Permissions
    description: Description | None = None
    rate_limit_tier: RateLimitTier | None = None
    expires_at: Time | None = None


class ApiKeyCreated(Struct):
    """A new API key, shown this once."""

    id: str
    key: Annotated[str, Meta(description="The key itself: send it as `Authorization: Bearer`.")]
    prefix: Annotated[str, Meta(description="Its first eight characters, to know it again by.", examples=["wbk_4fT9"])]
    name: KeyName
    description: Description | None
    permissions: Permissions
    rate_limit_tier: RateLimitTier
    expires_at: Time | None
    created_at: Time

    @classmethod
    def of(cls, key: ApiKey, secret: str) -> "ApiKeyCreated":
        return cls(key=secret, **_key_members(key))


class ApiKeyRow(Struct):
    """An API key, without the key itself."""

    id: str
    prefix: str
    name: KeyName
    description: Description | None
    permissions: Permissions
    rate_limit_tier: RateLimitTier
    expires_at: Time | None
    created_at: Time
    last_used_at: Annotated[Time | None, Meta(description="When it was last used, to a minute.")]
    revoked_at: Time | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyRow":
        return cls(
            **_key_members(key),
            last_used_at=_seconds_or_none(key.last_used_at),
            revoked_at=_seconds_or_none(key.revoked_at),
        )


class ApiKeyList(Struct):
    """API keys, the newest first."""

    api_keys: list[ApiKeyRow]


class UsageReport(Struct):
    """What a workspace uses of what it may: sizes in bytes."""

    used_bytes: SizeBytes
    quota_bytes: SizeBytes
    documents: Annotated[int, Meta(ge=0, description="How many documents there are.")]

    @classmethod
    def of(cls, usage: Usage) -> "UsageReport":
        return cls(used_bytes=usage.used_bytes, quota_bytes=usage.quota_bytes, documents=usage.documents)


class Health(Struct):
    """How the service is; `checks` names each dependency, `ok` or `unavailable`."""

    status: Literal["live", "ready", "degraded"]
    checks: dict[str, str]


class Error(Struct):
    """What was wrong: a stable `code`, and a sentence that says what to do."""

    code: str
    message: str
    request_id: str
    details: dict[str, Any] | UnsetType = UNSET


class ErrorBody(Struct):
    """Every failure."""

    error: Error


def _key_members(key: ApiKey) -> dict[str, Any]:
    """What is told of an API key, new or listed."""
    return {
        "id": key.id,
        "prefix": key.prefix,
        "name": key.name,
        "description": key.description,
        "permissions": sorted(key.permissions),
        "rate_limit_tier": key.tier,
        "expires_at": _seconds_or_none(key.expires_at),
        "created_at": _seconds(key.created_at),
    }


def _seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _seconds_or_none(at: datetime | None) -> datetime | None:
    return None if at is None else _seconds(at)
