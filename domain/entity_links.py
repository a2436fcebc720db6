"""Links: which of the things a client keeps elsewhere a document belongs to."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.ids import DocumentId, EntityLinkId
from domain.members import Form, Members, RuleViolation
from domain.text import clean_text, not_blank, string

ENTITY_ID_MAX = 64
ROLE_MAX = 64


class EntityType(StrEnum):
    """What a document can be linked to."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    EVENT = "event"
    MATTER = "matter"
    TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLink:
    """That a document belongs to something, and as what: of a document and a thing, there is one link at most."""

    id: EntityLinkId
    document_id: DocumentId
    entity_type: EntityType
    entity_id: str
    role: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLinkDraft:
    """A link as a client wants it."""

    entity_type: EntityType
    entity_id: str
    role: str | None

    @classmethod
    def read(cls, members: Members) -> "EntityLinkDraft":
        """The link that the members of a request spell.

        Raises:
            Invalid: naming every wrong member.
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
    """The name of a kind of thing."""
    text = string(value)
    if text not in set(EntityType):
        raise RuleViolation("must be one of " + ", ".join(EntityType))
    return EntityType(text)


def entity_id(value: object) -> str:
    """An id that somebody else has given: opaque, so kept as it is. It has to fit between two slashes of a URL."""
    text = string(value)
    if not 1 <= len(text) <= ENTITY_ID_MAX:
        raise RuleViolation(f"must have 1 to {ENTITY_ID_MAX} characters")
    # U+FFFD is what is read where a path is no UTF-8.
    if any(char in "/\ufffd" or unicodedata.category(char) in ("Cc", "Cs") for char in text) or text in (".", ".."):
        raise RuleViolation("must not be '.' or '..', nor contain slashes, control characters or what is no UTF-8")
    return text


def role(value: object) -> str:
    """As what a document belongs to a thing."""
    return not_blank(clean_text(value, most=ROLE_MAX))
