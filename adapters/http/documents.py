"""Operations on documents: each handler reads the request, runs one use case, and renders the result."""

from collections.abc import Sequence

from litestar.params import FromPath

from adapters.http.answer import Answer, empty_answer, entity_tag, json_answer, replay_headers
from adapters.http.body import read_members
from adapters.http.operation import Operation
from adapters.http.query import read_flag, read_query
from adapters.http.request import AnyRequest, caller_of, use_cases_of
from adapters.http.request_headers import read_idempotency_key, read_if_match
from adapters.http.wire.documents import (
    DeleteDocumentQuery,
    DocumentDetail,
    DocumentRecord,
    FoundDocuments,
    ListDocumentsQuery,
    ReadDocumentQuery,
    UploadLink,
)
from adapters.http.wire.envelope import Envelope
from domain.use_cases.change_document import DeleteDocument, PatchDocument
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.find_documents import FindDocuments
from domain.use_cases.get_document import GetDocument
from domain.use_cases.request_upload import RequestUpload


def routes() -> Sequence[Operation]:
    """Return the operations on documents."""
    a_document = "/v1/documents/{document_id:str}"
    return [
        Operation("POST", "/v1/documents/upload-url", request_upload_url, RequestUpload),
        Operation("POST", "/v1/documents", create_document, CreateDocument),
        Operation("GET", "/v1/documents", list_documents, FindDocuments, query=ListDocumentsQuery),
        Operation("GET", a_document, read_document, GetDocument, query=ReadDocumentQuery),
        Operation("PATCH", a_document, patch_document, PatchDocument),
        Operation("DELETE", a_document, delete_document, DeleteDocument, query=DeleteDocumentQuery),
    ]


async def request_upload_url(request: AnyRequest) -> Answer:
    members = await read_members(request)
    upload = await use_cases_of(request).request_upload(caller_of(request), members)
    return json_answer(Envelope(UploadLink.of(upload)))


async def create_document(request: AnyRequest) -> Answer:
    idempotency_key = read_idempotency_key(request)
    members = await read_members(request)
    recorded = await use_cases_of(request).create_document(caller_of(request), members, idempotency_key)
    headers = {"Location": f"/v1/documents/{recorded.document.id}", **replay_headers(replayed=recorded.replayed)}
    return json_answer(Envelope(DocumentRecord.of(recorded.document)), 201, headers)


async def list_documents(request: AnyRequest) -> Answer:
    listing = await use_cases_of(request).find_documents(caller_of(request), read_query(request))
    return json_answer(FoundDocuments.of(listing))


async def read_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    download = read_flag(request, "download")
    found = await use_cases_of(request).get_document(caller_of(request), document_id, download=download)
    headers = entity_tag(found.record.document.revision)
    return json_answer(Envelope(DocumentDetail.of(found.record, found.download)), headers=headers)


async def patch_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    expected_revisions = read_if_match(request)
    members = await read_members(request)
    record = await use_cases_of(request).patch_document(caller_of(request), document_id, members, expected_revisions)
    return json_answer(Envelope(DocumentDetail.of(record)), headers=entity_tag(record.document.revision))


async def delete_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    idempotency_key = read_idempotency_key(request)
    expected_revisions = read_if_match(request)
    replayed = await use_cases_of(request).delete_document(
        caller_of(request), document_id, idempotency_key, expected_revisions, hard=read_flag(request, "hard")
    )
    return empty_answer(replay_headers(replayed=replayed))
