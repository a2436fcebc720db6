"""Workspaces in Postgres."""

from collections.abc import AsyncIterator, Collection, Sequence

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import LEAST_ID, from_uuid, to_uuid
from domain.access import Workspace
from domain.ids import UserId, WorkspaceId
from domain.rate_limits import Plan

PAGE = 1000


class PostgresWorkspaces:
    """`Workspaces` in Postgres. The quota and the used bytes are in one row of the table `usage`, whose lock is the
    workspace lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, workspace: Workspace) -> None:
        await self._database.fetch(
            statements.ADD_WORKSPACE,
            to_uuid(workspace.id),
            workspace.name,
            to_uuid(workspace.owner_id),
            workspace.plan,
            workspace.created_at,
            workspace.quota_bytes,
        )

    async def get(self, workspace: WorkspaceId) -> Workspace | None:
        row = await self._database.fetch_one(statements.READ_WORKSPACE, to_uuid(workspace))
        return None if row is None else _to_workspace(row)

    async def pages(self) -> AsyncIterator[Sequence[Workspace]]:
        async for rows in self._database.pages(statements.LIST_WORKSPACES, after={"id": LEAST_ID}, size=PAGE):
            yield [_to_workspace(row) for row in rows]

    async def existing(self, workspaces: Collection[WorkspaceId]) -> Collection[WorkspaceId]:
        rows = await self._database.fetch(statements.EXISTING_WORKSPACES, [*map(to_uuid, workspaces)])
        return {WorkspaceId(from_uuid("ws_", row["id"])) for row in rows}

    async def recently_used(self, most: int) -> Sequence[WorkspaceId]:
        rows = await self._database.fetch(statements.RECENTLY_USED_WORKSPACES, most)
        return [WorkspaceId(from_uuid("ws_", row["workspace_id"])) for row in rows]

    async def update(self, workspace: WorkspaceId, plan: Plan | None, quota_bytes: int | None) -> Workspace | None:
        row = await self._database.fetch_one(statements.UPDATE_WORKSPACE, to_uuid(workspace), plan, quota_bytes)
        return None if row is None else _to_workspace(row)


def _to_workspace(row: Row) -> Workspace:
    return Workspace(
        id=WorkspaceId(from_uuid("ws_", row["id"])),
        name=row["name"],
        owner_id=UserId(from_uuid("usr_", row["owner_id"])),
        plan=Plan(row["plan"]),
        quota_bytes=row["quota_bytes"],
        created_at=row["created_at"],
    )
