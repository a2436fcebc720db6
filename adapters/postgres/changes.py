"""Changes of what is recorded, in Postgres: each is one call of a function that takes the workspace's lock first.

A call whose answer was lost is sent again. What it did the first time it knows by its receipt: with an Idempotency-Key,
or without one under a key of its own, it finds the name of this very attempt there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, assert_never, overload
from uuid import uuid4

import msgspec

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.finding import to_with_links
from adapters.postgres.rows import to_hex, to_intent, to_json, to_link, to_uuid
from domain.documents import Changes
from domain.ids import WorkspaceId
from domain.links import Link
from domain.members import UNSENT
from domain.paths import FOLDER_MAX_SEGMENTS, StoragePath
from domain.text import folded
from ports.changes import (
    AddLink,
    Change,
    ChangeOutcome,
    Delete,
    Deleted,
    DeleteOutcome,
    FolderMoved,
    FolderTaken,
    Linked,
    LinkOutcome,
    MoveFolder,
    MoveOutcome,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    OtherRevision,
    Patch,
    Patched,
    PatchOutcome,
    RemoveLink,
    Revisions,
    TooDeep,
    Unlinked,
    UnlinkOutcome,
)
from ports.intents import Intent, KeyReused


class PostgresChanges:
    """`change` of `DocumentRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = Turns()

    @overload
    async def change(self, what: Patch, intent: Intent) -> PatchOutcome: ...
    @overload
    async def change(self, what: Delete, intent: Intent) -> DeleteOutcome: ...
    @overload
    async def change(self, what: AddLink, intent: Intent) -> LinkOutcome: ...
    @overload
    async def change(self, what: RemoveLink, intent: Intent) -> UnlinkOutcome: ...
    @overload
    async def change(self, what: MoveFolder, intent: Intent) -> MoveOutcome: ...
    async def change(self, what: Change, intent: Intent) -> ChangeOutcome:
        attempt = uuid4()
        sql, arguments, at = _call(what)
        async with self._turns.of(intent.caller.workspace_id):
            [row] = await self._database.insist(
                sql,
                to_uuid(intent.caller.workspace_id),
                *arguments,
                to_intent(intent, at, attempt),
            )
        facts: dict[str, Any] = {} if row["facts"] is None else msgspec.json.decode(row["facts"])
        match row["outcome"]:
            case "done":
                return _done(what, facts, replayed=False)
            case "replayed":
                # Our own earlier try, whose answer was lost on the way, is no replay.
                return _done(what, facts, replayed=facts["attempt"] != str(attempt))
            case "key_reused":
                return KeyReused()
            case refused:
                return _refused(what, refused)


class Turns:
    """One change of a workspace at a time: the others would wait for its lock, each with a connection in its hand."""

    def __init__(self) -> None:
        self._locks: dict[WorkspaceId, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, workspace: WorkspaceId) -> AsyncIterator[None]:
        """Come to the turn, in the order of coming."""
        lock, others = self._locks.get(workspace, (asyncio.Lock(), 0))
        self._locks[workspace] = lock, others + 1
        try:
            async with lock:
                yield
        finally:
            lock, others = self._locks.pop(workspace)
            if others > 1:
                self._locks[workspace] = lock, others - 1


def _call(what: Change) -> tuple[str, list[Any], datetime]:
    """The statement, its arguments between workspace and intent, and when it was asked for."""
    match what:
        case Patch(document=document, changes=changes, only_if=only_if, at=at):
            return statements.PATCH, [to_uuid(document), to_json(_to_changes(changes)), _revisions(only_if), at], at
        case Delete(document=document, only_if=only_if, at=at):
            return statements.DELETE, [to_uuid(document), _revisions(only_if), at], at
        case AddLink(link=link):
            return statements.ADD_LINK, [to_json(_to_columns(link))], link.created_at
        case RemoveLink(document=document, link=sought, at=at):
            return statements.REMOVE_LINK, [to_uuid(document), to_uuid(sought), at], at
        case MoveFolder(source=source, target=target, at=at):
            return statements.MOVE_FOLDER, [source, target, FOLDER_MAX_SEGMENTS, at], at
        case _:
            assert_never(what)


def _done(what: Change, facts: dict[str, Any], *, replayed: bool) -> ChangeOutcome:
    match what:
        case Patch():
            return Patched(to_with_links(facts))
        case Delete():
            return Deleted(StoragePath(facts["storage_path"]), replayed)
        case AddLink():
            return Linked(to_link(facts["link"]), facts["is_new"], replayed)
        case RemoveLink():
            return Unlinked(replayed)
        case MoveFolder():
            return FolderMoved(facts["documents"])
        case _:
            assert_never(what)


def _refused(what: Change, refused: str) -> ChangeOutcome:
    match what, refused:
        case ((Patch() | Delete() | AddLink()), "unknown"):
            return NoSuchDocument()
        case ((Patch() | Delete()), "other_revision"):
            return OtherRevision()
        case RemoveLink(), "unknown":
            return NoSuchLink()
        case MoveFolder(), "unknown":
            return NoSuchFolder()
        case MoveFolder(), "taken":
            return FolderTaken()
        case MoveFolder(), "too_deep":
            return TooDeep()
        case _:
            raise AssertionError(f"a {type(what).__name__} was answered {refused}")


def _to_changes(changes: Changes) -> dict[str, Any]:
    """What is sent of the changes, and what is searched of it."""
    facts: dict[str, Any] = {}
    if changes.name is not UNSENT:
        facts |= {"name": changes.name, "search_name": folded(changes.name)}
    if changes.description is not UNSENT:
        facts |= {"description": changes.description, "search_description": folded(changes.description or "")}
    if changes.folder is not UNSENT:
        facts["folder"] = changes.folder
    if changes.tags is not UNSENT:
        facts["tags"] = changes.tags
    return facts


def _to_columns(link: Link) -> dict[str, Any]:
    return {
        # The workspace is that of the call.
        "id": to_hex(link.id),
        "document_id": to_hex(link.document_id),
        "entity_type": link.entity_type,
        "entity_id": link.entity_id,
        "role": link.role,
        "created_at": link.created_at,
    }


def _revisions(only_if: Revisions | None) -> list[int] | None:
    # What no revision can be matches none; to the database it would be no integer.
    return None if only_if is None else [revision for revision in only_if if 0 < revision < 2**31]
