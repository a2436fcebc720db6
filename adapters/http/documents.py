"""Operations on documents: each handler reads the request, runs one use case, and renders the result."""

from collections.abc import Sequence

from litestar.params import FromPath

from adapters.http.answer import Answer, empty_answer, json_answer, not_modified, replay_headers
from adapters.http.body import JSON, read_members
from adapters.http.conditional import entity_tag, is_not_modified, read_precondition
from adapters.http.errors import MERGE_PATCH
from adapters.http.operation import Operation
from adapters.http.query import read_flag, read_query
from adapters.http.request import AnyRequest, caller_of, site_of, use_cases_of
from adapters.http.request_headers import read_idempotency_key
from adapters.http.wire.documents import (
    DeleteDocumentQuery,
    DocumentChange,
    DocumentDetail,
    DocumentRecord,
    FoundDocuments,
    ListDocumentsQuery,
    ReadDocumentQuery,
    UploadLink,
)
from adapters.http.wire.envelope import Envelope
from domain.documents import Changes
from domain.downloads import is_inline
from domain.idempotency import parse_idempotency_key
from domain.members import Form, read_together
from domain.pages import boolean
from domain.use_cases.change_document import DeleteDocument, OwnChanges, PatchDocument
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
    location = f"{site_of(request).public_url}/v1/documents/{recorded.document.id}"
    headers = {"Location": location, **replay_headers(replayed=recorded.replayed)}
    return json_answer(Envelope(DocumentRecord.of(recorded.document)), 201, headers)


async def list_documents(request: AnyRequest) -> Answer:
    listing = await use_cases_of(request).find_documents(caller_of(request), read_query(request))
    return json_answer(FoundDocuments.of(listing))


async def read_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    form = Form(read_query(request), "parameter")
    download = form.optional("download", boolean) is not False
    inline = form.optional("disposition", is_inline) or False
    form.finish()
    found = await use_cases_of(request).get_document(caller_of(request), document_id, download=download, inline=inline)
    state = found.record.document.state
    headers = entity_tag(state)
    if is_not_modified(request, state):
        return not_modified(headers)
    return json_answer(Envelope(DocumentDetail.of(found.record, found.download)), headers=headers)


async def patch_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    members = await read_members(request, (JSON, MERGE_PATCH))
    # The use case reads the members too. Here they are read so that one answer names their mistakes and the headers'.
    precondition, _ = read_together(lambda: read_precondition(request), lambda: Changes.read(members))
    changed = await use_cases_of(request).patch_document(caller_of(request), document_id, members, precondition)
    if isinstance(changed, OwnChanges):
        return json_answer(Envelope(DocumentChange.of(changed)), headers=entity_tag(changed.state))
    return json_answer(Envelope(DocumentDetail.of(changed)), headers=entity_tag(changed.document.state))


async def delete_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    idempotency_key = read_idempotency_key(request)
    precondition, hard, _ = read_together(
        lambda: read_precondition(request),
        lambda: read_flag(request, "hard"),
        lambda: parse_idempotency_key(idempotency_key),
    )
    replayed = await use_cases_of(request).delete_document(
        caller_of(request), document_id, idempotency_key, precondition, hard=hard
    )
    return empty_answer(replay_headers(replayed=replayed))
