"""Linking documents to what a client keeps elsewhere."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.entity_links import EntityLink, EntityLinkDraft
from domain.errors import IdempotencyMismatch, NotFound
from domain.ids import EntityLinkId, parse_document_id, parse_entity_link_id
from domain.members import Members
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused, LinkAdded, LinkRemoved, NoSuchDocument, NoSuchLink
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDocument:
    """Link a document to something of yours: a contact, a company, a deal, an event, a matter or a task.

    - What `entity_id` means is yours to know; nothing is looked up.
    - A document has one link to a thing. When it is there already, it is answered with 200 and stays as it is, its
      `role` too; to change that, remove the link and make it anew.
    - A link changes neither the `ETag` nor the `updated_at` of the document.
    - With an `Idempotency-Key`, the same request sent again within 24 hours gets the first answer again.
    """

    documents: DocumentRepository
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(
        self, caller: Caller, id_as_sent: str, members: Members, idempotency_key: str | None
    ) -> LinkAdded:
        caller.require(self.permission)
        draft = EntityLinkDraft.read(members)
        id_ = parse_document_id(id_as_sent)
        if id_ is None:
            raise NotFound
        at = self.now()
        link = EntityLink(
            id=EntityLinkId("dlnk_" + self.new_id(at)),
            document_id=id_,
            entity_type=draft.entity_type,
            entity_id=draft.entity_id,
            role=draft.role,
            created_at=at,
        )
        intent = Intent.of("link_document", id_, members, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.documents.add_link(link, intent=intent)
        match outcome:
            case LinkAdded():
                return outcome
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchDocument():
                raise NotFound
            case _:
                assert_never(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkDocument:
    """Remove a link of a document; the document stays.

    With an `Idempotency-Key`, the same request sent again within 24 hours gets the first answer again.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, id_as_sent: str, link_as_sent: str, idempotency_key: str | None) -> bool:
        """Whether that was done by an earlier request with this Idempotency-Key."""
        caller.require(self.permission)
        id_, link = parse_document_id(id_as_sent), parse_entity_link_id(link_as_sent)
        if id_ is None or link is None:
            raise NotFound
        intent = Intent.of("unlink_document", f"{id_}/{link}", {}, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.documents.remove_link(id_, link, at=self.now(), intent=intent)
        match outcome:
            case LinkRemoved(replayed):
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchLink():
                raise NotFound
            case _:
                assert_never(outcome)
