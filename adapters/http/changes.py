"""Changing and deleting documents over HTTP."""

from collections.abc import Sequence

from litestar import delete, patch
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from adapters.http.answer import REPLAYED, Answer, empty_answer, entity_tag, json_answer
from adapters.http.body import (
    READING_A_BODY,
    AnyRequest,
    read_idempotency_key,
    read_if_match,
    read_members,
    read_query,
)
from adapters.http.examples import patched_example
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.parameters import Query
from adapters.http.wire.documents import DocumentDetail, PatchDocumentBody
from adapters.http.wire.envelope import Envelope
from domain.errors import IdempotencyMismatch, Invalid, NotFound, PreconditionFailed
from domain.members import Form
from domain.pages import boolean
from domain.use_cases import UseCases


def changing_handlers(use_cases: UseCases) -> Sequence[HTTPRouteHandler]:
    """What becomes of a document once it is recorded: handlers below `/v1/documents`."""
    change, remove = use_cases.patch_document, use_cases.delete_document

    @patch(
        "/{document_id:str}",
        opt=described(
            summary="Change a document",
            use_case=type(change),
            body=PatchDocumentBody,
            status=200,
            success=Envelope[DocumentDetail],
            refusals=(*READING_A_BODY, NotFound, PreconditionFailed),
            conditional=True,
            etag=True,
            example=patched_example(),
        ),
    )
    async def patch_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(change.permission)
        expected_revisions = read_if_match(request)
        record = await change(caller, document_id, await read_members(request), expected_revisions)
        return json_answer(Envelope(DocumentDetail.of(record)), headers=entity_tag(record.document.revision))

    @delete(
        "/{document_id:str}",
        # What is sent is an Answer, whose status is its own.
        status_code=200,
        opt=described(
            summary="Delete a document",
            use_case=type(remove),
            status=204,
            success=None,
            refusals=(Invalid, NotFound, PreconditionFailed, IdempotencyMismatch),
            query={"hard": Query(bool, "Whether to delete the bytes at once: true, false, 1 or 0.", False)},
            idempotent=True,
            conditional=True,
        ),
    )
    async def delete_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(remove.permission)
        key = read_idempotency_key(request)
        expected_revisions = read_if_match(request)
        form = Form(read_query(request, "hard"))
        hard = form.optional("hard", boolean)
        form.finish()
        replayed = await remove(caller, document_id, key, expected_revisions, hard=hard is True)
        return empty_answer(REPLAYED if replayed else {})

    return [patch_document, delete_document]
