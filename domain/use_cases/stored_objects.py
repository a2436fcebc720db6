"""List the objects of all workspaces at once.

A listing per workspace would take as many requests as there are workspaces, however few objects each of them has.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

from domain.ids import WorkspaceId, least_ulid, parse_workspace_id
from domain.members import RuleViolation
from domain.paths import WORKSPACES_PREFIX, StoragePath, has_issued_form, issued_prefix, storage_path, workspace_prefix
from domain.retention import UNUSED_PATHS_KEPT
from ports.storage import ListedObject, ObjectStorage
from ports.workspaces import Workspaces


async def stored_objects(
    workspaces: Workspaces, storage: ObjectStorage
) -> AsyncIterator[Mapping[WorkspaceId, Sequence[ListedObject]]]:
    """Yield the objects of all workspaces of this database, by workspace, in pages of at most 1,000.

    The objects of one workspace may be on any number of pages.
    """
    async for page in storage.list(WORKSPACES_PREFIX):
        found: defaultdict[WorkspaceId, list[ListedObject]] = defaultdict(list)
        for item in page:
            if (workspace := _workspace_of(item.key)) is not None:
                found[workspace].append(item)
        existing = await workspaces.existing(found.keys()) if found else ()
        if known := {workspace: items for workspace, items in found.items() if workspace in existing}:
            yield known


def by_workspace(keys: Iterable[str]) -> Mapping[WorkspaceId, Sequence[StoragePath]]:
    """Return those of the keys at which documents can be recorded, by workspace."""
    found: defaultdict[WorkspaceId, list[StoragePath]] = defaultdict(list)
    for key in keys:
        workspace = _workspace_of(key)
        if workspace is not None and (path := recordable_path(key, workspace)) is not None:
            found[workspace].append(path)
    return found


def recordable_path(key: str, workspace: WorkspaceId) -> StoragePath | None:
    """Return the object key as a storage path; `None` if no document of the workspace can be recorded there."""
    try:
        return storage_path(key, workspace)
    except RuleViolation:
        return None


def proves_a_loss(item: ListedObject, workspace: WorkspaceId, since: datetime, now: datetime) -> bool:
    """Return whether a database has lost records if it does not know the path of this object.

    The path has the form of those that `upload-url` issues, and the object was stored after `since`: from then on, the
    ledger knows each upload before its URL is handed out. Paths that were not used are forgotten after a while.
    """
    oldest = issued_prefix(workspace) + least_ulid(now - UNUSED_PATHS_KEPT)
    return item.modified_at > since and item.key >= oldest and has_issued_form(item.key, workspace)


def _workspace_of(key: str) -> WorkspaceId | None:
    workspace = parse_workspace_id(key.removeprefix(WORKSPACES_PREFIX).partition("/")[0])
    return workspace if workspace is not None and key.startswith(workspace_prefix(workspace)) else None
