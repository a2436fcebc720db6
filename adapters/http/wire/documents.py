"""Documents, and the way to their bytes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from adapters.http.wire.entity_links import LinkedEntity
from adapters.http.wire.members import (
    Description,
    DocumentId,
    Folder,
    MimeType,
    Name,
    SizeBytes,
    StoragePath,
    Tags,
    Time,
    UserId,
    seconds,
)
from domain.documents import Document
from domain.pages import PER_PAGE_MAX
from domain.use_cases.find_documents import Listing
from domain.use_cases.request_upload import UPLOAD_LIMIT_BYTES, Upload
from ports.queries import DocumentWithLinks
from ports.storage import SignedRequest

Sha256 = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", description="SHA-256 of the bytes, 64 hex digits.")]


class CreateDocumentBody(Struct, forbid_unknown_fields=True):
    """A document to record."""

    name: Name
    mime_type: MimeType
    storage_path: StoragePath
    size_bytes: SizeBytes | None = None
    description: Description | None = None
    folder: Folder | None = None
    tags: Tags | None = None


class PatchDocumentBody(Struct, forbid_unknown_fields=True):
    """What is to change of a document."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    folder: Folder | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET


class RequestUploadBody(Struct, forbid_unknown_fields=True):
    """A file to upload."""

    name: Name
    mime_type: MimeType
    size_bytes: Annotated[int, Meta(ge=0, le=UPLOAD_LIMIT_BYTES, description="Size in bytes.")] | None = None
    sha256: Sha256 | None = None


class UploadLink(Struct):
    """A request that stores the file: `method` to `upload_url` with exactly `headers`."""

    upload_url: Annotated[str, Meta(description="Where to send the file. Whoever has it may, until `expires_at`.")]
    method: Annotated[str, Meta(description="`PUT`.", examples=["PUT"])]
    headers: Annotated[dict[str, str], Meta(description="Headers to send with it, exactly these.")]
    storage_path: StoragePath
    expires_at: Time

    @classmethod
    def of(cls, upload: Upload) -> "UploadLink":
        return cls(
            upload_url=upload.request.url,
            method=upload.request.method,
            headers=dict(upload.request.headers),
            storage_path=upload.path,
            expires_at=seconds(upload.request.expires_at),
        )


class DocumentRecord(Struct):
    """A document as it is recorded."""

    id: DocumentId
    name: Name
    description: Description | None
    mime_type: MimeType
    size_bytes: SizeBytes
    storage_path: StoragePath
    folder: Folder | None
    tags: Tags
    created_by: UserId
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
            created_at=seconds(document.created_at),
            updated_at=seconds(document.updated_at),
        )


class DocumentDetail(Struct, kw_only=True):
    """A document as it is recorded, what it is linked to, and a way to its bytes where one was asked for."""

    id: DocumentId
    name: Name
    description: Description | None
    mime_type: MimeType
    size_bytes: SizeBytes
    storage_path: StoragePath
    folder: Folder | None
    tags: Tags
    linked_entities: list[LinkedEntity]
    download_url: Annotated[str, Meta(description="GET it without a key; it honours Range.")] | UnsetType = UNSET
    download_url_expires_at: Time | UnsetType = UNSET
    created_by: UserId
    created_at: Time
    updated_at: Time
    sha256: Sha256 | None

    @classmethod
    def of(cls, record: DocumentWithLinks, download: SignedRequest | None = None) -> "DocumentDetail":
        return cls(
            **structs.asdict(DocumentRecord.of(record.document)),
            linked_entities=[LinkedEntity(link.entity_type, link.entity_id) for link in record.links],
            download_url=download.url if download else UNSET,
            download_url_expires_at=seconds(download.expires_at) if download else UNSET,
            sha256=record.document.stored.sha256,
        )


class DocumentList(Struct):
    """Documents, the newest first."""

    documents: list[DocumentRecord]


class DocumentListMeta(Struct):
    """Which part of the list this is."""

    page: Annotated[int, Meta(ge=1, description="`null` where a cursor was followed.")] | None
    per_page: Annotated[int, Meta(ge=1, le=PER_PAGE_MAX, description="How many rows a page has at the most.")]
    total: Annotated[int, Meta(ge=0, description="How many documents pass the filters, on all pages.")]
    total_is_exact: Annotated[bool, Meta(description="Whether `total` is all of them; if not, there are more.")]
    next_cursor: Annotated[str | None, Meta(description="The `cursor` of what comes next; `null` at the end.")]


class FoundDocuments(Struct):
    """A part of the list of documents."""

    data: DocumentList
    meta: DocumentListMeta

    @classmethod
    def of(cls, listing: Listing) -> "FoundDocuments":
        found = listing.found
        return cls(
            DocumentList([DocumentRecord.of(document) for document in found.documents]),
            DocumentListMeta(listing.number, listing.size, found.total, found.total_is_exact, listing.next_cursor),
        )
