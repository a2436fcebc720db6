"""Entity links: the relations of documents to entities that the client keeps elsewhere, such as contacts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.ids import DocumentId, EntityLinkId
from domain.members import Form, Members, RuleViolation
from domain.text import line, seen, string, visible

ENTITY_ID_MAX = 64
ROLE_MAX = 64
LINKS_MAX = 1000
"""The most entity links of a document. There is a limit because reading a document returns all its links."""


class EntityType(StrEnum):
    """The kinds of entities that a document can be linked to."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    EVENT = "event"
    MATTER = "matter"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity that a document can be linked to, as the client names it."""

    type: EntityType
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLink:
    """The relation of a document to an entity, in an optional role. A document has at most one link to an entity."""

    id: EntityLinkId
    document_id: DocumentId
    entity_type: EntityType
    entity_id: str
    role: str | None
    created_at: datetime

    @property
    def entity(self) -> Entity:
        """Return the entity of this link."""
        return Entity(self.entity_type, self.entity_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLinkDraft:
    """An entity link that a client wants to create."""

    entity_type: EntityType
    entity_id: str
    role: str | None

    @classmethod
    def read(cls, members: Members) -> "EntityLinkDraft":
        """Read the members of a request.

        Raises:
            Invalid: naming every invalid member.
        """
        form = Form(members)
        draft = cls(
            entity_type=form.required("entity_type", entity_type),
            entity_id=form.required("entity_id", entity_id),
            role=form.optional("role", role),
        )
        form.finish()
        return draft


def entity_type(value: object) -> EntityType:
    """Read the name of an entity type."""
    text = string(value)
    if text not in set(EntityType):
        raise RuleViolation("must be one of " + ", ".join(EntityType))
    return EntityType(text)


def entity_id(value: object) -> str:
    """Return the client's id of an entity, unchanged, such as `M-2026/17` or `12 O 345/26`.

    The id is opaque, but a client must be able to write it in the path of a URL, percent-encoded.
    """
    text = string(value)
    if not 1 <= len(text) <= ENTITY_ID_MAX:
        raise RuleViolation(f"must have 1 to {ENTITY_ID_MAX} characters")
    # A URL path that is not UTF-8 is decoded with U+FFFD. Clients and proxies remove the segments '.' and '..', encoded
    # or not (RFC 3986 6.2.2.3).
    if text in (".", "..") or "\ufffd" in text:
        raise RuleViolation("must not be '.' or '..', nor contain invalid UTF-8")
    return visible(seen(text))


def role(value: object) -> str:
    """Return the role of a document for an entity: 1 to 64 characters, not blank."""
    return line(value, most=ROLE_MAX)
