"""The documents API: each handler reads, calls one use case, and renders what it returns."""

from litestar import Router, get, post
from litestar.params import FromPath

from adapters.http.answer import REPLAYED, Answer, entity_tag, json_answer
from adapters.http.body import READING_A_BODY, AnyRequest, read_idempotency_key, read_members, read_query
from adapters.http.call import caller_of
from adapters.http.changes import changing_handlers
from adapters.http.openapi import PAGES, described
from adapters.http.services import Services
from adapters.http.wire.documents import (
    CreateDocumentBody,
    DocumentDetail,
    DocumentRecord,
    FoundDocuments,
    RequestUploadBody,
    UploadLink,
)
from adapters.http.wire.envelope import Envelope
from domain.errors import IdempotencyMismatch, Invalid, NotFound, ObjectChanged, QuotaExceeded, StorageConflict
from domain.members import Form
from domain.pages import flag


def documents_router(services: Services) -> Router:
    """`/v1/documents` and what is below it, but for links."""
    create, request_upload = services.create_document, services.request_upload
    get_document, find = services.get_document, services.find_documents

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
                "cursor": (str, None, "The `next_cursor` of the page before, instead of `page`."),
                "folder": (str, None, "A folder, and everything below it."),
                "recursive": (bool, True, "Whether to list what is below the folder too: true, false, 1 or 0."),
                "tag": (list[str], None, "A tag; repeated, all of them."),
                "mime_type": (str, None, "The media type, as it was recorded."),
                "search": (str, "", "Part of the name or the description, in any letter case."),
                "created_after": (str, None, "A time (RFC 3339), or a date, which is its midnight in UTC."),
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
            query={"download": (bool, True, "Whether to sign a download URL: true, false, 1 or 0.")},
            etag=True,
        ),
    )
    async def read_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(get_document.permission)
        form = Form(read_query(request, "download"))
        download = form.optional("download", flag)
        form.finish()
        found = await get_document(caller, document_id, download=download is not False)
        headers = entity_tag(found.record.document.revision)
        return json_answer(Envelope(DocumentDetail.of(found.record, found.download)), headers=headers)

    handlers = [request_upload_url, create_document, list_documents, read_document]
    return Router("/v1/documents", route_handlers=[*handlers, *changing_handlers(services)])
