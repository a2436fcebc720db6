"""Documents, uploads and downloads."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from adapters.http.wire import patterns
from adapters.http.wire.entity_links import LinkedEntity
from adapters.http.wire.envelope import PageQuery
from adapters.http.wire.members import (
    Cursor,
    Description,
    DocumentId,
    Folder,
    MimeType,
    Name,
    Sha256,
    SignedUrl,
    SizeBytes,
    StoragePath,
    Tag,
    Tags,
    Time,
    Timestamp,
    UserId,
    int32,
    int64,
    seconds,
)
from domain.documents import TAGS_MAX, Document
from domain.entity_links import LINKS_MAX
from domain.members import OMITTED
from domain.pages import PAGE_MAX, PER_PAGE_MAX
from domain.search import SEARCH_MAX
from domain.uploads import UPLOAD_LIMIT_BYTES
from domain.use_cases.change_document import OwnChanges
from domain.use_cases.find_documents import Listing
from domain.use_cases.request_upload import Upload
from ports.queries import DocumentWithLinks
from ports.storage import SignedRequest


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
    """The members of a document to change. Members that are not sent stay as they are."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    folder: Folder | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    mime_type: MimeType | UnsetType = UNSET


class RequestUploadBody(Struct, forbid_unknown_fields=True):
    """A file to upload."""

    name: Name
    mime_type: MimeType
    size_bytes: Annotated[int, int64("Size in bytes.", le=UPLOAD_LIMIT_BYTES, examples=[183204])] | None = None
    sha256: Sha256 | None = None


NextCursor = Annotated[Cursor, Meta(description="The `next_cursor` of the previous page, instead of `page`.")]
Subtree = Annotated[Folder, Meta(description="A folder and everything below it.", examples=["/clients/acme"])]
Recursive = Annotated[bool, Meta(description="Whether to list documents below the folder too: true, false, 1 or 0.")]
RequiredTags = Annotated[
    list[Tag],
    Meta(max_length=TAGS_MAX, description="A tag. Repeat it to require several tags.", examples=[["nda"]]),
]
RecordedMimeType = Annotated[MimeType, Meta(description="The media type as recorded.")]
SearchText = Annotated[
    str,
    Meta(
        max_length=SEARCH_MAX,
        pattern=patterns.LINE,
        description="Words that the name or the description contains, in any order and letter case. A part in double "
        "quotes is one word.",
        examples=["acme"],
    ),
]
CreatedAfter = Annotated[
    Timestamp,
    Meta(
        description="A time (RFC 3339), or a date, which means its midnight in UTC.",
        examples=["2026-04-17T10:45:00Z"],
    ),
]


CreatedBefore = Annotated[
    Timestamp,
    Meta(description="As `created_after`; documents of exactly this time are left out.", examples=["2026-05-01"]),
]
SameBytes = Annotated[
    Sha256, Meta(description="The SHA-256 of the bytes, where the object store reports it: finds the same file.")
]


class ListDocumentsQuery(PageQuery):
    cursor: NextCursor | UnsetType = UNSET
    folder: Subtree | UnsetType = UNSET
    recursive: Recursive = True
    tag: RequiredTags | UnsetType = UNSET
    mime_type: RecordedMimeType | UnsetType = UNSET
    search: SearchText | UnsetType = UNSET
    created_after: CreatedAfter | UnsetType = UNSET
    created_before: CreatedBefore | UnsetType = UNSET
    sha256: SameBytes | UnsetType = UNSET


class ReadDocumentQuery(Struct):
    download: Annotated[bool, Meta(description="Whether to sign a download URL: true, false, 1 or 0.")] = True
    disposition: Annotated[
        Literal["attachment", "inline"],
        Meta(description="Whether a browser saves the file, or shows it if its media type is safe to show."),
    ] = "attachment"


class DeleteDocumentQuery(Struct):
    hard: Annotated[bool, Meta(description="Whether to delete the bytes at once: true, false, 1 or 0.")] = False


HeaderValue = Annotated[str, Meta(max_length=1024, pattern=r"^[\t -~]*$")]


class UploadLink(Struct):
    """The request that stores the file: send it with `method` to `upload_url`, with exactly `headers`."""

    upload_url: Annotated[
        SignedUrl,
        Meta(
            description="Where to send the file. The URL permits that without an API key, until `expires_at`. After "
            "that, Dossier answers 403 `link_expired` where it serves the bytes itself."
        ),
    ]
    method: Annotated[str, Meta(description="The method of the request.", extra_json_schema={"const": "PUT"})]
    headers: Annotated[dict[str, HeaderValue], Meta(description="Send exactly these headers with the file.")]
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
    """A document as recorded."""

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
    """A document as recorded, with the entities it is linked to and, if requested, a signed URL of its bytes."""

    id: DocumentId
    name: Name
    description: Description | None
    mime_type: MimeType
    size_bytes: SizeBytes
    storage_path: StoragePath
    folder: Folder | None
    tags: Tags
    linked_entities: Annotated[list[LinkedEntity], Meta(max_length=LINKS_MAX)]
    download_url: (
        Annotated[SignedUrl, Meta(description="Signed URL of the file: GET it without an API key. Range is supported.")]
        | UnsetType
    ) = UNSET
    download_url_expires_at: Time | UnsetType = UNSET
    created_by: UserId
    created_at: Time
    updated_at: Time
    sha256: Sha256 | None

    @classmethod
    def of(cls, record: DocumentWithLinks, download: SignedRequest | None = None) -> "DocumentDetail":
        return cls(
            **structs.asdict(DocumentRecord.of(record.document)),
            linked_entities=[LinkedEntity(entity.type, entity.id) for entity in record.entities],
            download_url=download.url if download else UNSET,
            download_url_expires_at=seconds(download.expires_at) if download else UNSET,
            sha256=record.document.stored.sha256,
        )


class DocumentChange(Struct, kw_only=True):
    """A document after a change, for an API key without `read:documents`: the members that were sent, as recorded."""

    id: DocumentId
    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    mime_type: MimeType | UnsetType = UNSET
    folder: Folder | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET

    @classmethod
    def of(cls, own: OwnChanges) -> "DocumentChange":
        changes = own.changes
        return cls(
            id=own.id,
            name=UNSET if changes.name is OMITTED else changes.name,
            description=UNSET if changes.description is OMITTED else changes.description,
            mime_type=UNSET if changes.mime_type is OMITTED else changes.mime_type,
            folder=UNSET if changes.folder is OMITTED else changes.folder,
            tags=UNSET if changes.tags is OMITTED else list(changes.tags),
        )


class DocumentList(Struct):
    """Documents, the newest one first."""

    documents: Annotated[list[DocumentRecord], Meta(max_length=PER_PAGE_MAX)]


class DocumentListMeta(Struct):
    """The part of the list that `data` contains."""

    page: Annotated[int, int32("Number of this page; `null` if `cursor` was sent.", ge=1, le=PAGE_MAX)] | None
    per_page: Annotated[int, int32("Largest number of rows on a page.", ge=1, le=PER_PAGE_MAX)]
    total: Annotated[int, int64("Number of documents that match the filters, on all pages.")]
    total_is_exact: Annotated[bool, Meta(description="`false` if there are more documents than `total`.")]
    next_cursor: Annotated[Cursor | None, Meta(description="The `cursor` of the next page; `null` on the last one.")]


class FoundDocuments(Struct):
    """A page of the list of documents."""

    data: DocumentList
    meta: DocumentListMeta

    @classmethod
    def of(cls, listing: Listing) -> "FoundDocuments":
        found = listing.found
        return cls(
            DocumentList([DocumentRecord.of(document) for document in found.documents]),
            DocumentListMeta(listing.number, listing.size, found.total, found.total_is_exact, listing.next_cursor),
        )
