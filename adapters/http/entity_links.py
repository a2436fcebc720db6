"""Links over HTTP: from a document to what it belongs to, and back."""

from collections.abc import Mapping, Sequence

from litestar import Router, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from adapters.http.answer import REPLAYED, Answer, empty_answer, json_answer
from adapters.http.body import READING_A_BODY, AnyRequest, read_idempotency_key, read_members, read_query
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.parameters import PAGES, Query
from adapters.http.wire.entity_links import LinkDocumentBody, LinkedDocumentList, LinkedDocumentRow, LinkRecord, Role
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from domain.entity_links import EntityType
from domain.errors import IdempotencyMismatch, Invalid, NotFound
from domain.use_cases import UseCases

_TAG = "Links"
_PLURAL: Mapping[EntityType, str] = {
    EntityType.CONTACT: "contacts",
    EntityType.COMPANY: "companies",
    EntityType.DEAL: "deals",
    EntityType.EVENT: "events",
    EntityType.MATTER: "matters",
    EntityType.TASK: "tasks",
}


def entity_links_router(use_cases: UseCases) -> Router:
    """The links of a document."""
    link, unlink = use_cases.link_document, use_cases.unlink_document

    @post(
        "/",
        opt=described(
            summary="Link a document",
            use_case=type(link),
            body=LinkDocumentBody,
            status=201,
            success=Envelope[LinkRecord],
            refusals=(*READING_A_BODY, NotFound, IdempotencyMismatch),
            idempotent=True,
            existing=True,
            links={"unlink_document": {"document_id": "document_id", "link_id": "link_id"}},
            tag=_TAG,
        ),
    )
    async def link_document(request: AnyRequest, document_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(link.permission)
        key = read_idempotency_key(request)
        linked = await link(caller, document_id, await read_members(request), key)
        status, headers = 201 if linked.is_new else 200, REPLAYED if linked.replayed else {}
        return json_answer(Envelope(LinkRecord.of(linked.link)), status, headers)

    @delete(
        "/{link_id:str}",
        # What is sent is an Answer, whose status is its own.
        status_code=200,
        opt=described(
            summary="Remove a link",
            use_case=type(unlink),
            status=204,
            success=None,
            refusals=(Invalid, NotFound, IdempotencyMismatch),
            idempotent=True,
            tag=_TAG,
        ),
    )
    async def unlink_document(request: AnyRequest, document_id: FromPath[str], link_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(unlink.permission)
        key = read_idempotency_key(request)
        replayed = await unlink(caller, document_id, link_id, key)
        return empty_answer(REPLAYED if replayed else {})

    return Router("/v1/documents/{document_id:str}/link", route_handlers=[link_document, unlink_document])


def entity_documents_handlers(use_cases: UseCases) -> Sequence[HTTPRouteHandler]:
    """What belongs to a thing, for each kind of thing."""
    return [_entity_documents(use_cases, entity_type) for entity_type in EntityType]


def _entity_documents(use_cases: UseCases, entity_type: EntityType) -> HTTPRouteHandler:
    find = use_cases.find_linked_documents

    @get(
        f"/v1/{_PLURAL[entity_type]}/{{entity_id:str}}/documents",
        opt=described(
            summary=f"List the documents of one {entity_type}",
            use_case=type(find),
            status=200,
            success=Paged[LinkedDocumentList],
            refusals=(Invalid,),
            query={
                **PAGES,
                "role": Query(Role, "As what the documents belong to it."),
            },
            tag=_TAG,
            operation=f"list_{entity_type}_documents",
        ),
    )
    async def list_entity_documents(request: AnyRequest, entity_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(find.permission)
        found, page = await find(caller, entity_type, entity_id, read_query(request, "page", "per_page", "role"))
        rows = LinkedDocumentList([LinkedDocumentRow.of(linked) for linked in found.rows])
        return json_answer(Paged(rows, PageMeta.of(page, found.total)))

    return list_entity_documents
