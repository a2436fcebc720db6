"""Link documents to entities that the client keeps elsewhere."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.entity_links import LINKS_MAX, EntityLink, EntityLinkDraft, EntityType
from domain.errors import IdempotencyMismatch, Invalid, NotFound
from domain.ids import DocumentId, EntityLinkId, parse_document_id, parse_entity_link_id
from domain.members import Members
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused, LinkAdded, LinkRemoved, NoSuchDocument, NoSuchLink, TooManyLinks
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingLink:
    """What a caller who may not read documents sees of an entity link that exists already: no more than it sent."""

    id: EntityLinkId
    document_id: DocumentId
    entity_type: EntityType
    entity_id: str
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDocument:
    """Link a document to an entity of yours: a contact, a company, a deal, an event, a matter or a task.

    - `entity_id` is opaque to Dossier, which does not check that the entity exists.
    - A document has at most one link to an entity. If it exists already, the response is 200 with the existing link,
      its `role` unchanged. To change the `role`, remove the link and create it again. An API key without
      `read:documents` does not get `role` and `created_at` of a link that exists already.
    - A new link changes the `ETag` of the document, and not its `updated_at`.
    - With an `Idempotency-Key`, a repeated request within 24 hours returns the first response.
    """

    documents: DocumentRepository
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self, caller: Caller, document: str, members: Members, idempotency_key: str | None
    ) -> LinkAdded | ExistingLink:
        caller.require(self.permission)
        draft = EntityLinkDraft.read(members)
        document_id = parse_document_id(document)
        if document_id is None:
            raise NotFound
        at = self.now()
        link = EntityLink(
            id=EntityLinkId("dlnk_" + self.new_id(at)),
            document_id=document_id,
            entity_type=draft.entity_type,
            entity_id=draft.entity_id,
            role=draft.role,
            created_at=at,
        )
        intent = Intent.of("link_document", document_id, members, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.documents.add_link(link, intent=intent)
        match outcome:
            case LinkAdded(is_new=is_new) if is_new or caller.may(Permission.READ_DOCUMENTS):
                return outcome
            case LinkAdded(found, replayed=replayed):
                return ExistingLink(
                    id=found.id,
                    document_id=found.document_id,
                    entity_type=found.entity_type,
                    entity_id=found.entity_id,
                    replayed=replayed,
                )
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case TooManyLinks():
                raise Invalid({"entity_id": f"would be link {LINKS_MAX + 1:,} of this document; remove others first"})
            case _:
                assert_never(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkDocument:
    """Remove a link of a document. That changes the `ETag` of the document, and not its `updated_at`.

    With an `Idempotency-Key`, a repeated request within 24 hours returns the first response.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, document: str, link: str, idempotency_key: str | None) -> bool:
        """Remove the entity link; return whether an earlier request with this idempotency key removed it."""
        caller.require(self.permission)
        document_id, link_id = parse_document_id(document), parse_entity_link_id(link)
        if document_id is None or link_id is None:
            raise NotFound
        intent = Intent.of(
            "unlink_document", f"{document_id}/{link_id}", {}, caller=caller, idempotency_key=idempotency_key
        )
        outcome = await self.documents.remove_link(document_id, link_id, at=self.now(), intent=intent)
        match outcome:
            case LinkRemoved(replayed):
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchLink():
                raise NotFound
            case _:
                assert_never(outcome)
