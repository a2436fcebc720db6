"""The documents API: each handler reads, calls one use case, and renders what it returns."""

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath

from adapters.http.answer import Answer
from adapters.http.body import AnyRequest, query_pairs, read_idempotency_key, read_members
from adapters.http.call import caller_of
from adapters.http.errors import RequestTimeout, UnsupportedMediaType
from adapters.http.openapi import described
from adapters.http.services import Services
from adapters.http.wire import (
    CreateDocumentBody,
    DocumentDetail,
    DocumentRecord,
    Envelope,
    RequestUploadBody,
    UploadLink,
)
from domain.errors import (
    IdempotencyMismatch,
    Invalid,
    NotFound,
    ObjectChanged,
    PayloadTooLarge,
    QuotaExceeded,
    StorageConflict,
)

_READING_A_BODY = (Invalid, RequestTimeout, PayloadTooLarge, UnsupportedMediaType)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def documents_router(services: Services) -> Router:
    """`/v1/documents` and what is below it."""
    create, request_upload, get_document = services.create_document, services.request_upload, services.get_document

    @post(
        "/upload-url",
        opt=described(
            summary="Get a signed upload URL",
            use_case=type(request_upload),
            body=RequestUploadBody,
            status=200,
            success=Envelope[UploadLink],
            refusals=(*_READING_A_BODY, QuotaExceeded),
        ),
    )
    async def request_upload_url(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(request_upload.permission)
        members = await read_members(request)
        upload = await request_upload(caller, members)
        return _json(UploadLink.of(upload), status=200)

    @post(
        "/",
        opt=described(
            summary="Record a document",
            use_case=type(create),
            body=CreateDocumentBody,
            status=201,
            success=Envelope[DocumentRecord],
            refusals=(*_READING_A_BODY, StorageConflict, QuotaExceeded, IdempotencyMismatch),
            idempotent=True,
        ),
    )
    async def create_document(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(create.permission)
        key = read_idempotency_key(request)
        members = await read_members(request)
        receipt = await create(caller, members, key)
        headers = {"Location": f"/v1/documents/{receipt.document.id}"}
        if receipt.replayed:
            headers["Idempotent-Replayed"] = "true"
        return _json(DocumentRecord.of(receipt.document), status=201, headers=headers)

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
        download = _flag(request, "download", default=True)
        found = await get_document(caller, document_id, download=download)
        return _json(DocumentDetail.of(found), status=200, headers={"ETag": f'"{found.document.revision}"'})

    return Router("/v1/documents", route_handlers=[request_upload_url, create_document, read_document])


def _flag(request: AnyRequest, name: str, *, default: bool) -> bool:
    """A boolean of the query."""
    sent = [value for key, value in query_pairs(request) if key == name]
    if not sent:
        return default
    if len(sent) > 1 or sent[0] not in _BOOLEANS:
        raise Invalid({name: "must be true, false, 1 or 0"})
    return _BOOLEANS[sent[0]]


def _json(data: msgspec.Struct, *, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, msgspec.json.encode(Envelope(data)), headers or {})
