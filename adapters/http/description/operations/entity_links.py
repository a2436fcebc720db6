"""The description of the operations on entity links."""

from adapters.http.description.described import Described, Section
from adapters.http.description.refusals import OF_A_BODY
from adapters.http.wire.entity_links import ExistingLinkRecord, LinkDocumentBody, LinkedDocumentList, LinkRecord
from adapters.http.wire.envelope import Envelope, Paged
from domain.entity_links import EntityType
from domain.errors import IdempotencyMismatch, NotFound

ENTITY_LINKS = Section(
    "Links",
    "Relations of documents to contacts, companies, deals, events, matters and tasks.",
    {
        "link_document": Described(
            summary="Link a document",
            body=LinkDocumentBody,
            status=201,
            success=Envelope[LinkRecord],
            narrowed=Envelope[ExistingLinkRecord],
            refusals=(*OF_A_BODY, NotFound, IdempotencyMismatch),
            idempotent=True,
            existing=True,
            links={"unlink_document": {"document_id": "document_id", "link_id": "link_id"}},
        ),
        "unlink_document": Described(
            summary="Remove a link",
            status=204,
            refusals=(NotFound, IdempotencyMismatch),
            idempotent=True,
        ),
        **{
            f"list_{entity_type}_documents": Described(
                summary=f"List the documents of one {entity_type}",
                success=Paged[LinkedDocumentList],
            )
            for entity_type in EntityType
        },
    },
)
