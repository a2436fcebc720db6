"""The ledger of storage paths in Postgres, for the sweeper. It is read in pages, so that no statement takes long."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import msgspec

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.rows import LEAST_ID, from_uuid, to_over_quota, to_path_taken, to_uuid
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_of
from ports.ledger import CondemnedPath, IssuedUpload, PathState
from ports.outcomes import OverQuota, PathTaken, UploadIssued
from ports.storage import ListedObject

PAGE = 1000
_FIRST_PATH = {"workspace_id": LEAST_ID, "storage_path": ""}


class PostgresLedger:
    """`ObjectLedger` in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        workspaces = [to_uuid(workspace_of(path)) for path in paths]
        rows = await self._database.fetch(statements.READ_PATH_STATES, workspaces, paths)
        return {StoragePath(row["storage_path"]): PathState(row["state"]) for row in rows}

    async def reserve(self, upload: IssuedUpload) -> UploadIssued | OverQuota | PathTaken:
        arguments = to_uuid(upload.workspace_id), upload.path, upload.reserved_bytes, upload.held_until
        (answer,) = await self._database.change(upload.workspace_id, statements.RESERVE_UPLOAD, *arguments)
        match answer["outcome"]:
            case "issued":
                return UploadIssued()
            case "over_quota":
                return to_over_quota(answer["facts"])
            case "path_taken":
                return to_path_taken(answer["facts"])
            case unknown:
                raise AssertionError(f"reserve_upload returned {unknown}")

    async def overdue_uploads(self, at: datetime) -> AsyncIterator[Sequence[IssuedUpload]]:
        async for rows in self._database.pages(statements.LIST_UPLOADS, after=_FIRST_PATH, size=PAGE):
            yield [
                IssuedUpload(
                    workspace_id=WorkspaceId(from_uuid("ws_", row["workspace_id"])),
                    path=StoragePath(row["storage_path"]),
                    reserved_bytes=row["reserved_bytes"],
                    held_until=row["held_until"],
                )
                for row in rows
                if row["held_until"] <= at
            ]

    async def settle_uploads(
        self, workspace: WorkspaceId, found: Mapping[StoragePath, int | None], at: datetime, look_again_at: datetime
    ) -> None:
        batch = [{"path": path, "size_bytes": size} for path, size in found.items()]
        await self._database.fetch(
            statements.SETTLE_UPLOADS, to_uuid(workspace), msgspec.json.encode(batch).decode(), at, look_again_at
        )

    async def greatest_paths(self, bounds: Mapping[WorkspaceId, tuple[str, str]]) -> Mapping[WorkspaceId, StoragePath]:
        above, below = [bound for bound, _ in bounds.values()], [bound for _, bound in bounds.values()]
        rows = await self._database.fetch(statements.GREATEST_PATHS, [*map(to_uuid, bounds)], above, below)
        return {WorkspaceId(from_uuid("ws_", row["workspace_id"])): StoragePath(row["storage_path"]) for row in rows}

    async def recorded_versions(
        self, workspace: WorkspaceId, paths: Sequence[StoragePath]
    ) -> Mapping[StoragePath, str]:
        rows = await self._database.fetch(statements.READ_RECORDED_VERSIONS, to_uuid(workspace), paths)
        return {StoragePath(row["storage_path"]): row["version_id"] for row in rows}

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        batch = [{"key": item.key, "size_bytes": item.size_bytes, "etag": item.etag} for item in objects]
        rows = await self._database.fetch(
            statements.CONDEMN, to_uuid(workspace), msgspec.json.encode(batch).decode(), at
        )
        return [StoragePath(row["path"]) for row in rows]

    async def condemned(self, at: datetime | None = None) -> AsyncIterator[Sequence[CondemnedPath]]:
        async for rows in self._database.pages(statements.LIST_CONDEMNED, after=_FIRST_PATH, size=PAGE):
            yield [
                CondemnedPath(WorkspaceId(from_uuid("ws_", row["workspace_id"])), StoragePath(row["storage_path"]))
                for row in rows
                if at is None or row["delete_again_at"] is None or row["delete_again_at"] <= at
            ]

    async def postpone(self, workspace: WorkspaceId, paths: Sequence[StoragePath], until: datetime) -> None:
        await self._database.fetch(statements.POSTPONE_DELETION, to_uuid(workspace), paths, until)

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        await self._database.fetch(statements.FINALISE, to_uuid(workspace), paths, condemned_before)

    async def with_folders(self) -> AsyncIterator[Sequence[WorkspaceId]]:
        after = {"workspace_id": LEAST_ID}
        async for rows in self._database.pages(statements.WORKSPACES_WITH_FOLDERS, after=after, size=PAGE):
            yield [WorkspaceId(from_uuid("ws_", row["workspace_id"])) for row in rows]

    async def delete_empty_folders(self, workspace: WorkspaceId) -> int:
        deleted_count = 0
        owner = to_uuid(workspace)
        async for rows in self._database.pages(statements.LIST_FOLDER_IDS, owner, after={"id": LEAST_ID}, size=PAGE):
            candidates = [row["id"] for row in rows]
            # The folders above those deleted come next, whether their own page was before this one or not.
            while candidates:
                (gone,) = await self._database.fetch(statements.DELETE_EMPTY_FOLDERS, owner, candidates)
                deleted_count += gone["deleted"]
                candidates = gone["above"]
        return deleted_count
