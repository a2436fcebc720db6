"""Entity links: relations of documents to contacts, deals, matters and other entities of the client."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.http.wire import patterns
from adapters.http.wire.envelope import PageQuery
from adapters.http.wire.members import (
    DocumentId,
    EntityLinkId,
    Folder,
    MimeType,
    Name,
    SizeBytes,
    Tags,
    Time,
    seconds,
)
from domain.entity_links import ENTITY_ID_MAX, ROLE_MAX, EntityLink, EntityType
from domain.pages import PER_PAGE_MAX
from domain.use_cases.link_document import ExistingLink
from ports.queries import LinkedDocument

EntityId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ENTITY_ID_MAX,
        pattern=patterns.ENTITY_ID,
        description="Your id of the entity, stored unchanged: not blank, no control characters, neither `.` nor `..`. "
        "In a path, percent-encode it, slashes too.",
        examples=["con_8241", "M-2026/17"],
    ),
]
Role = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ROLE_MAX,
        pattern=patterns.NOT_BLANK,
        description="The role of the document for the entity: not blank. Stored in NFC.",
        examples=["signed agreement"],
    ),
]


class LinkDocumentBody(Struct, forbid_unknown_fields=True):
    """The entity to link a document to."""

    entity_type: EntityType
    entity_id: EntityId
    role: Role | None = None


class ListEntityDocumentsQuery(PageQuery):
    role: Annotated[Role, Meta(description="The role of the documents for the entity.")] | UnsetType = UNSET


class LinkedEntity(Struct):
    """An entity that the document is linked to."""

    entity_type: EntityType
    entity_id: EntityId


class LinkRecord(Struct):
    """An entity link of a document."""

    link_id: EntityLinkId
    document_id: DocumentId
    entity_type: EntityType
    entity_id: EntityId
    role: Role | None
    created_at: Time

    @classmethod
    def of(cls, link: EntityLink) -> "LinkRecord":
        return cls(
            link_id=link.id,
            document_id=link.document_id,
            entity_type=link.entity_type,
            entity_id=link.entity_id,
            role=link.role,
            created_at=seconds(link.created_at),
        )


class ExistingLinkRecord(Struct):
    """An entity link that exists already, for an API key without `read:documents`."""

    link_id: EntityLinkId
    document_id: DocumentId
    entity_type: EntityType
    entity_id: EntityId

    @classmethod
    def of(cls, link: ExistingLink) -> "ExistingLinkRecord":
        return cls(
            link_id=link.id, document_id=link.document_id, entity_type=link.entity_type, entity_id=link.entity_id
        )


class LinkedDocumentRow(Struct):
    """A document that is linked to the entity."""

    id: DocumentId
    name: Name
    mime_type: MimeType
    size_bytes: SizeBytes
    folder: Folder | None
    tags: Tags
    role: Role | None
    linked_at: Time
    created_at: Time

    @classmethod
    def of(cls, linked: LinkedDocument) -> "LinkedDocumentRow":
        document, link = linked.document, linked.link
        return cls(
            id=document.id,
            name=document.name,
            mime_type=document.mime_type,
            size_bytes=document.stored.size_bytes,
            folder=document.folder,
            tags=list(document.tags),
            role=link.role,
            linked_at=seconds(link.created_at),
            created_at=seconds(document.created_at),
        )


class LinkedDocumentList(Struct):
    """Documents, the most recently linked one first."""

    documents: Annotated[list[LinkedDocumentRow], Meta(max_length=PER_PAGE_MAX)]
