"""Links of documents to what a client keeps elsewhere."""

from typing import Annotated

from msgspec import Meta, Struct

from adapters.http.wire.members import (
    SEEN,
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
from ports.queries import LinkedDocument

EntityId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ENTITY_ID_MAX,
        pattern=r"^(?!\.{1,2}$)[^/\u0000-\u001f\u007f-\u009f\ufffd]+$",
        description="Your id of it, kept as it is: no slashes or control characters, neither `.` nor `..`.",
        examples=["con_8241"],
    ),
]
Role = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ROLE_MAX,
        pattern=SEEN,
        description="As what the document belongs to it: not blank. Kept in NFC.",
        examples=["signed agreement"],
    ),
]


class LinkDocumentBody(Struct, forbid_unknown_fields=True):
    """What a document is to be linked to."""

    entity_type: EntityType
    entity_id: EntityId
    role: Role | None = None


class LinkedEntity(Struct):
    """Something of the client's that the document is linked to."""

    entity_type: EntityType
    entity_id: EntityId


class LinkRecord(Struct):
    """A link of a document."""

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


class LinkedDocumentRow(Struct):
    """A document as one of those that belong to something."""

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
    """Documents, the last linked first."""

    documents: list[LinkedDocumentRow]
