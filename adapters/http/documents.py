"""Operations on documents: each handler reads the request, runs one use case, and renders the result."""

from collections.abc import Sequence

from litestar.params import FromPath

from adapters.http.answer import Answer, empty_answer, json_answer, not_modified, replay_headers
from adapters.http.conditional import entity_tag
from adapters.http.operation import JSON, MERGE_PATCH, Operation
from adapters.http.request import AnyRequest, caller_of, site_of, use_cases_of
from adapters.http.sent import read_sent
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
from domain.downloads import is_inline
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
        Operation("GET", a_document, read_document, GetDocument, query=ReadDocumentQuery, is_conditional=True),
        Operation(
            "PATCH", a_document, patch_document, PatchDocument, media_types=(JSON, MERGE_PATCH), is_conditional=True
        ),
        Operation(
            "DELETE", a_document, delete_document, DeleteDocument, query=DeleteDocumentQuery, is_conditional=True
        ),
    ]


async def request_upload_url(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    upload = await use_cases_of(request).request_upload(caller_of(request), sent.members)
    return json_answer(Envelope(UploadLink.of(upload)))


async def create_document(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    recorded = await use_cases_of(request).create_document(caller_of(request), sent.members, sent.idempotency_key)
    location = f"{site_of(request).public_url}/v1/documents/{recorded.document.id}"
    headers = {"Location": location, **replay_headers(replayed=recorded.replayed)}
    return json_answer(Envelope(DocumentRecord.of(recorded.document)), 201, headers)


async def list_documents(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    return json_answer(FoundDocuments.of(await use_cases_of(request).find_documents(caller_of(request), sent.members)))


async def read_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    form = sent.parameters()
    download = form.optional("download", boolean) is not False
    inline = form.optional("disposition", is_inline) or False
    form.finish()
    found = await use_cases_of(request).get_document(caller_of(request), document_id, download=download, inline=inline)
    state = found.record.document.state
    headers = entity_tag(state)
    if sent.conditions.is_not_modified(state):
        return not_modified(headers)
    return json_answer(Envelope(DocumentDetail.of(found.record, found.download)), headers=headers)


async def patch_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    changed = await use_cases_of(request).patch_document(
        caller_of(request), document_id, sent.members, sent.idempotency_key, sent.conditions.of_a_change()
    )
    replay = replay_headers(replayed=changed.replayed)
    if isinstance(changed, OwnChanges):
        return json_answer(Envelope(DocumentChange.of(changed)), headers={**entity_tag(changed.state), **replay})
    headers = {**entity_tag(changed.found.document.state), **replay}
    return json_answer(Envelope(DocumentDetail.of(changed.found)), headers=headers)


async def delete_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    form = sent.parameters()
    hard = form.optional("hard", boolean) or False
    form.finish()
    replayed = await use_cases_of(request).delete_document(
        caller_of(request), document_id, sent.idempotency_key, sent.conditions.of_a_change(), hard=hard
    )
    return empty_answer(replay_headers(replayed=replayed))
