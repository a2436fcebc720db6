"""Changes of recorded documents in Postgres. Each change is one call of a function that takes the workspace lock first.

If the result of a call is lost, the call is repeated. Each call has an attempt id, and the receipt contains this id. A
repeated call that finds its own attempt id in a receipt returns the outcome of the first call. Without an idempotency
key, the attempt id is also the key of the receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.queries import to_document_with_links
from adapters.postgres.rows import to_hex, to_intent, to_json, to_link, to_uuid
from domain.documents import Changes
from domain.entity_links import LINKS_MAX, EntityLink
from domain.ids import DocumentId, EntityLinkId, WorkspaceId
from domain.members import OMITTED
from domain.paths import FOLDER_LEVELS_MAX, FOLDERS_MAX, FolderPath, StoragePath
from domain.preconditions import UNCONDITIONAL, Precondition
from domain.search import COUNT_MAX
from domain.text import fold
from ports.intents import Intent
from ports.outcomes import (
    AddLinkOutcome,
    Deleted,
    DeleteFolderOutcome,
    DeleteOutcome,
    FolderDeleted,
    FolderHasDocuments,
    FolderMoved,
    FolderTaken,
    IdempotencyKeyReused,
    LinkAdded,
    LinkRemoved,
    MoveFolderOutcome,
    NoSuchDocument,
    NoSuchFolder,
    NoSuchLink,
    Patched,
    PatchOutcome,
    RemoveLinkOutcome,
    StateMismatch,
    TooDeep,
    TooManyFolders,
    TooManyLinks,
)


class DocumentChanges:
    """The changing methods of `PostgresDocuments`, and the private call that they share."""

    _writes: Database
    _hashing_key: bytes

    async def patch(
        self,
        document: DocumentId,
        changes: Changes,
        *,
        precondition: Precondition = UNCONDITIONAL,
        at: datetime,
        intent: Intent,
    ) -> PatchOutcome:
        arguments = to_uuid(document), to_json(_to_changes(changes)), *_states(precondition), FOLDERS_MAX, at
        result = await self._call(statements.PATCH_DOCUMENT, arguments, at, intent)
        match result.outcome:
            case "replayed" if "document" not in result.facts:
                return await self._patched_earlier(intent.caller.workspace_id, document, result.facts["revision"])
            case "done" | "replayed":
                return Patched(to_document_with_links(result.facts), result.is_replay)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchDocument()
            case "other_state":
                return StateMismatch()
            case "too_many_folders":
                return TooManyFolders()
            case unexpected:
                raise AssertionError(f"{statements.PATCH_DOCUMENT} returned {unexpected}")

    async def _patched_earlier(
        self, workspace: WorkspaceId, document: DocumentId, revision: int
    ) -> Patched | NoSuchDocument:
        """Return the outcome of a patch whose result was lost, and whose receipt holds only the revision that it made.

        If the document was changed since, its present members come with the revision of the patch. So the next
        `If-Match` of the client is refused, and the client overwrites no change that it has not seen.
        """
        ids = [to_uuid(workspace)], [to_uuid(document)]
        rows = await self._writes.fetch_with_retry(statements.READ_DOCUMENTS, *ids)
        if not rows:
            return NoSuchDocument()
        found = to_document_with_links(msgspec.json.decode(rows[0]["facts"]))
        return Patched(replace(found, document=replace(found.document, revision=revision)))

    async def delete(
        self, document: DocumentId, *, precondition: Precondition = UNCONDITIONAL, at: datetime, intent: Intent
    ) -> DeleteOutcome:
        arguments = to_uuid(document), *_states(precondition), at
        result = await self._call(statements.DELETE_DOCUMENT, arguments, at, intent)
        match result.outcome:
            case "done" | "replayed":
                return Deleted(StoragePath(result.facts["storage_path"]), result.is_replay)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchDocument()
            case "other_state":
                return StateMismatch()
            case unexpected:
                raise AssertionError(f"{statements.DELETE_DOCUMENT} returned {unexpected}")

    async def add_link(self, link: EntityLink, *, intent: Intent) -> AddLinkOutcome:
        result = await self._call(
            statements.ADD_ENTITY_LINK, (to_json(_to_columns(link)), LINKS_MAX), link.created_at, intent
        )
        match result.outcome:
            case "done" | "replayed":
                return LinkAdded(to_link(result.facts["link"]), result.facts["is_new"], result.is_replay)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchDocument()
            case "too_many":
                return TooManyLinks()
            case unexpected:
                raise AssertionError(f"{statements.ADD_ENTITY_LINK} returned {unexpected}")

    async def remove_link(
        self, document: DocumentId, link: EntityLinkId, *, at: datetime, intent: Intent
    ) -> RemoveLinkOutcome:
        result = await self._call(statements.REMOVE_ENTITY_LINK, (to_uuid(document), to_uuid(link), at), at, intent)
        match result.outcome:
            case "done" | "replayed":
                return LinkRemoved(result.is_replay)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchLink()
            case unexpected:
                raise AssertionError(f"{statements.REMOVE_ENTITY_LINK} returned {unexpected}")

    async def move_folder(
        self, source: FolderPath, target: FolderPath, *, at: datetime, intent: Intent
    ) -> MoveFolderOutcome:
        limits = FOLDER_LEVELS_MAX, FOLDERS_MAX, COUNT_MAX
        result = await self._call(statements.MOVE_FOLDER, (source, target, *limits, at), at, intent)
        match result.outcome:
            case "done" | "replayed":
                # An earlier version counted all, and its receipts do not say so.
                is_exact = result.facts.get("is_exact", True)
                return FolderMoved(result.facts["documents"], result.is_replay, is_exact)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchFolder()
            case "taken":
                return FolderTaken()
            case "too_deep":
                return TooDeep()
            case "too_many_folders":
                return TooManyFolders()
            case unexpected:
                raise AssertionError(f"{statements.MOVE_FOLDER} returned {unexpected}")

    async def delete_folder(self, folder: FolderPath, *, at: datetime, intent: Intent) -> DeleteFolderOutcome:
        result = await self._call(statements.DELETE_FOLDER, (folder, at), at, intent)
        match result.outcome:
            case "done" | "replayed":
                return FolderDeleted(result.is_replay)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchFolder()
            case "in_use":
                return FolderHasDocuments()
            case unexpected:
                raise AssertionError(f"{statements.DELETE_FOLDER} returned {unexpected}")

    async def _call(self, sql: str, arguments: Sequence[object], at: datetime, intent: Intent) -> "_Result":
        """Wait for earlier changes of the workspace, then call a database function. Repeat the call if its result is
        lost.

        `arguments` are the arguments between the workspace and the intent.
        """
        attempt = uuid4()
        workspace = intent.caller.workspace_id
        sent = to_json(to_intent(intent, at, self._hashing_key, attempt))
        [row] = await self._writes.change(workspace, sql, to_uuid(workspace), *arguments, sent)
        facts: dict[str, Any] = {} if row["facts"] is None else msgspec.json.decode(row["facts"])
        # A receipt of this attempt comes from an earlier call of this loop whose result was lost. For the client, that
        # is no replay.
        is_replay = row["outcome"] == "replayed" and facts["attempt"] != str(attempt)
        return _Result(row["outcome"], facts, is_replay)


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of a database function. The content of `facts` depends on the function and on the outcome."""

    outcome: str
    facts: dict[str, Any]
    is_replay: bool


def _to_changes(changes: Changes) -> dict[str, Any]:
    """Return the members to change, with the folded texts for searches."""
    facts: dict[str, Any] = {}
    if changes.name is not OMITTED:
        facts |= {"name": changes.name, "search_name": fold(changes.name)}
    if changes.description is not OMITTED:
        facts |= {"description": changes.description, "search_description": fold(changes.description or "")}
    if changes.folder is not OMITTED:
        facts["folder"] = changes.folder
    if changes.tags is not OMITTED:
        facts["tags"] = changes.tags
    if changes.mime_type is not OMITTED:
        facts["mime_type"] = changes.mime_type
    return facts


def _to_columns(link: EntityLink) -> dict[str, Any]:
    return {
        # The call has the workspace as its first argument.
        "id": to_hex(link.id),
        "document_id": to_hex(link.document_id),
        "entity_type": link.entity_type,
        "entity_id": link.entity_id,
        "role": link.role,
        "created_at": link.created_at,
    }


def _states(precondition: Precondition) -> tuple[list[str] | None, list[str]]:
    """Return the allowed and the refused states of the precondition as arguments of the database function."""
    allowed = None if precondition.allowed is None else sorted(precondition.allowed)
    return allowed, sorted(precondition.refused)
