"""Operations on entity links: from a document to the entities it relates to, and from an entity to its documents."""

from collections.abc import Mapping, Sequence

from litestar.params import FromPath

from adapters.http.addresses import sent_segment
from adapters.http.answer import Answer, empty_answer, json_answer, replay_headers
from adapters.http.operation import Operation
from adapters.http.request import AnyRequest, caller_of, use_cases_of
from adapters.http.sent import read_sent
from adapters.http.wire.entity_links import (
    ExistingLinkRecord,
    LinkedDocumentList,
    LinkedDocumentRow,
    LinkRecord,
    ListEntityDocumentsQuery,
)
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from domain.entity_links import EntityType
from domain.use_cases.find_documents import FindLinkedDocuments
from domain.use_cases.link_document import ExistingLink, LinkDocument, UnlinkDocument

_ENTITY_TYPES: Mapping[str, EntityType] = {
    "contacts": EntityType.CONTACT,
    "companies": EntityType.COMPANY,
    "deals": EntityType.DEAL,
    "events": EntityType.EVENT,
    "matters": EntityType.MATTER,
    "tasks": EntityType.TASK,
}
"""The entity type of each `/v1/{plural}/{entity_id}/documents`."""


def routes() -> Sequence[Operation]:
    """Return the operations on entity links."""
    links = "/v1/documents/{document_id:str}/link"
    return [
        Operation("POST", links, link_document, LinkDocument),
        Operation("DELETE", f"{links}/{{link_id:str}}", unlink_document, UnlinkDocument),
        *(
            Operation(
                "GET",
                f"/v1/{plural}/{{entity_id:str}}/documents",
                list_entity_documents,
                FindLinkedDocuments,
                query=ListEntityDocumentsQuery,
                operation_id=f"list_{entity_type}_documents",
                opt={"entity_type": entity_type},
            )
            for plural, entity_type in _ENTITY_TYPES.items()
        ),
    ]


async def link_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    added = await use_cases_of(request).link_document(
        caller_of(request), document_id, sent.members, sent.idempotency_key
    )
    if isinstance(added, ExistingLink):
        return json_answer(Envelope(ExistingLinkRecord.of(added)), 200, replay_headers(replayed=added.replayed))
    status = 201 if added.is_new else 200
    return json_answer(Envelope(LinkRecord.of(added.link)), status, replay_headers(replayed=added.replayed))


async def unlink_document(request: AnyRequest, document_id: FromPath[str], link_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    replayed = await use_cases_of(request).unlink_document(
        caller_of(request), document_id, link_id, sent.idempotency_key
    )
    return empty_answer(replay_headers(replayed=replayed))


async def list_entity_documents(request: AnyRequest, entity_id: FromPath[str]) -> Answer:  # noqa: ARG001
    # `entity_id` has `_` for each encoded slash (`addresses.py`), so the id is read from the path that the client sent.
    exact_id = sent_segment(request.scope, 3)
    entity_type: EntityType = request.route_handler.opt["entity_type"]
    sent = await read_sent(request)
    found, page = await use_cases_of(request).find_linked_documents(
        caller_of(request), entity_type, exact_id, sent.members
    )
    rows = LinkedDocumentList([LinkedDocumentRow.of(linked) for linked in found.rows])
    return json_answer(Paged(rows, PageMeta.of(page, found.total)))
