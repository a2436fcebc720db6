"""The description of the operations on documents."""

from adapters.http.description.described import Described, Section
from adapters.http.description.examples import PATCHED_DOCUMENT
from adapters.http.description.refusals import OF_A_BODY
from adapters.http.wire.documents import (
    CreateDocumentBody,
    DocumentChange,
    DocumentDetail,
    DocumentRecord,
    FoundDocuments,
    PatchDocumentBody,
    RequestUploadBody,
    UploadLink,
)
from adapters.http.wire.envelope import Envelope
from domain.errors import (
    IdempotencyMismatch,
    NotFound,
    ObjectChanged,
    PreconditionFailed,
    QuotaExceeded,
    StorageConflict,
)

_OF_A_DOCUMENT = ("read_document", "patch_document", "link_document", "delete_document")

DOCUMENTS = Section(
    "Documents",
    "Upload, record, read, find, change and delete documents.",
    {
        "request_upload_url": Described(
            summary="Get a signed upload URL",
            body=RequestUploadBody,
            success=Envelope[UploadLink],
            refusals=(*OF_A_BODY, QuotaExceeded),
        ),
        "create_document": Described(
            summary="Record a document",
            body=CreateDocumentBody,
            status=201,
            success=Envelope[DocumentRecord],
            refusals=(*OF_A_BODY, StorageConflict, QuotaExceeded, IdempotencyMismatch),
            idempotent=True,
            located=True,
            links={operation: {"document_id": "id"} for operation in _OF_A_DOCUMENT},
        ),
        "list_documents": Described(summary="List documents", success=FoundDocuments),
        "read_document": Described(
            summary="Read a document",
            success=Envelope[DocumentDetail],
            refusals=(NotFound, ObjectChanged, PreconditionFailed),
            cacheable=True,
            etag=True,
        ),
        "patch_document": Described(
            summary="Change a document",
            body=PatchDocumentBody,
            success=Envelope[DocumentDetail],
            narrowed=Envelope[DocumentChange],
            refusals=(*OF_A_BODY, NotFound, PreconditionFailed, IdempotencyMismatch),
            idempotent=True,
            etag=True,
            example=PATCHED_DOCUMENT,
        ),
        "delete_document": Described(
            summary="Delete a document",
            status=204,
            refusals=(NotFound, PreconditionFailed, IdempotencyMismatch),
            idempotent=True,
        ),
    },
)
