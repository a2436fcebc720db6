"""Each write of `DocumentRepository` but `create` as a value, for tests that do the same with every one of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain.documents import Changes
from domain.entity_links import EntityLink
from domain.ids import DocumentId, EntityLinkId
from domain.paths import FolderPath
from domain.preconditions import UNCONDITIONAL, Precondition
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import (
    AddLinkOutcome,
    DeleteFolderOutcome,
    DeleteOutcome,
    MoveFolderOutcome,
    PatchOutcome,
    RemoveLinkOutcome,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    document: DocumentId
    changes: Changes
    at: datetime
    precondition: Precondition = UNCONDITIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    document: DocumentId
    at: datetime
    precondition: Precondition = UNCONDITIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLink:
    link: EntityLink


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLink:
    document: DocumentId
    link: EntityLinkId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    source: FolderPath
    target: FolderPath
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFolder:
    folder: FolderPath
    at: datetime


Change = Patch | Delete | AddLink | RemoveLink | MoveFolder | DeleteFolder
ChangeOutcome = (
    PatchOutcome | DeleteOutcome | AddLinkOutcome | RemoveLinkOutcome | MoveFolderOutcome | DeleteFolderOutcome
)


async def apply(documents: DocumentRepository, change: Change, intent: Intent) -> ChangeOutcome:
    """Call the repository method of this change."""
    match change:
        case Patch(document=document, changes=changes, precondition=precondition, at=at):
            return await documents.patch(document, changes, precondition=precondition, at=at, intent=intent)
        case Delete(document=document, precondition=precondition, at=at):
            return await documents.delete(document, precondition=precondition, at=at, intent=intent)
        case AddLink(link=link):
            return await documents.add_link(link, intent=intent)
        case RemoveLink(document=document, link=removed, at=at):
            return await documents.remove_link(document, removed, at=at, intent=intent)
        case MoveFolder(source=source, target=target, at=at):
            return await documents.move_folder(source, target, at=at, intent=intent)
        case DeleteFolder(folder=folder, at=at):
            return await documents.delete_folder(folder, at=at, intent=intent)
        case _:
            assert_never(change)
