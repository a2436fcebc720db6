"""The documents API: each handler reads, calls one use case, and renders what it returns."""

from typing import Annotated

from litestar import Router, get, post
from litestar.params import FromPath
from msgspec import Meta

from adapters.http.answer import REPLAYED, Answer, entity_tag, json_answer
from adapters.http.body import READING_A_BODY, AnyRequest, read_idempotency_key, read_members, read_query
from adapters.http.changes import changing_handlers
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.parameters import PAGES, Query
from adapters.http.wire.documents import (
    CreateDocumentBody,
    DocumentDetail,
    DocumentRecord,
    FoundDocuments,
    RequestUploadBody,
    UploadLink,
)
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.members import LINE, Cursor, Folder, MimeType, Tag, Timestamp
from domain.errors import IdempotencyMismatch, Invalid, NotFound, ObjectChanged, QuotaExceeded, StorageConflict
from domain.members import Form
from domain.pages import boolean
from domain.use_cases import UseCases
from domain.use_cases.find_documents import SEARCH_MAX

_OF_A_DOCUMENT = ("read_document", "patch_document", "link_document", "delete_document")


def documents_router(use_cases: UseCases) -> Router:
    """`/v1/documents` and what is below it, but for links."""
    create, request_upload = use_cases.create_document, use_cases.request_upload
    get_document, find = use_cases.get_document, use_cases.find_documents

    @post(
        "/upload-url",
        opt=described(
            summary="Get a signed upload URL",
            use_case=type(request_upload),
            body=RequestUploadBody,
            status=200,
            success=Envelope[UploadLink],
            refusals=(*READING_A_BODY, QuotaExceeded),
        ),
    )
    async def request_upload_url(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(request_upload.permission)
        members = await read_members(request)
        upload = await request_upload(caller, members)
        return json_answer(Envelope(UploadLink.of(upload)))

    @post(
        "/",
        opt=described(
            summary="Record a document",
            use_case=type(create),
            body=CreateDocumentBody,
            status=201,
            success=Envelope[DocumentRecord],
            refusals=(*READING_A_BODY, StorageConflict, QuotaExceeded, IdempotencyMismatch),
            idempotent=True,
            located=True,
            links={operation: {"document_id": "id"} for operation in _OF_A_DOCUMENT},
        ),
    )
    async def create_document(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(create.permission)
        key = read_idempotency_key(request)
        members = await read_members(request)
        receipt = await create(caller, members, key)
        headers = {"Location": f"/v1/documents/{receipt.document.id}"} | (REPLAYED if receipt.replayed else {})
        return json_answer(Envelope(DocumentRecord.of(receipt.document)), 201, headers)

    @get(
        "/",
        opt=described(
            summary="List documents",
            use_case=type(find),
            status=200,
            success=FoundDocuments,
            refusals=(Invalid,),
            query={
                **PAGES,
                "cursor": Query(Cursor, "The `next_cursor` of the page before, instead of `page`."),
                "folder": Query(Folder, "A folder, and everything below it.", example="/clients/acme"),
                "recursive": Query(bool, "Whether to list what is below the folder too: true, false, 1 or 0.", True),
                "tag": Query(list[Tag], "A tag; repeated, all of them.", example=["nda"]),
                "mime_type": Query(MimeType, "The media type, as it was recorded."),
                "search": Query(
                    Annotated[str, Meta(max_length=SEARCH_MAX, pattern=LINE)],
                    "Part of the name or the description, in any letter case.",
                    example="acme",
                ),
                "created_after": Query(
                    Timestamp,
                    "A time (RFC 3339), or a date, which is its midnight in UTC.",
                    example="2026-04-17T10:45:00Z",
                ),
            },
        ),
    )
    async def list_documents(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(find.permission)
        names = ("page", "per_page", "cursor", "folder", "recursive", "mime_type", "search", "created_after")
        query = read_query(request, *names, repeated="tag")
        return json_answer(FoundDocuments.of(await find(caller, query)))

    @get(
        "/{document_id:str}",
        opt=described(
            summary="Read a document",
            use_case=type(get_document),
            status=200,
            success=Envelope[DocumentDetail],
            refusals=(Invalid, NotFound, ObjectChanged),
            query={"download": Query(bool, "Whether to sign a download URL: true, false, 1 or 0.", True)},
            etag=True,
        ),
    )
    async def read_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(get_document.permission)
        form = Form(read_query(request, "download"))
        download = form.optional("download", boolean)
        form.finish()
        found = await get_document(caller, document_id, download=download is not False)
        headers = entity_tag(found.record.document.revision)
        return json_answer(Envelope(DocumentDetail.of(found.record, found.download)), headers=headers)

    handlers = [request_upload_url, create_document, list_documents, read_document]
    return Router("/v1/documents", route_handlers=[*handlers, *changing_handlers(use_cases)])
