"""API keys in Postgres."""

from collections.abc import Sequence
from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import from_uuid, to_uuid
from adapters.postgres.tables import ApiKeyRow
from domain.access import ApiKey, Permission, Plan, Tier
from domain.ids import KeyId, UserId, WorkspaceId
from ports.keys import KeyFound


class PostgresApiKeys:
    """`ApiKeys` in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, digest: bytes) -> KeyFound | None:
        row = await self._database.fetch_one(statements.FIND_KEY, digest)
        return None if row is None else KeyFound(_to_key(row), Plan(row["plan"]))

    async def add(self, key: ApiKey) -> None:
        row = ApiKeyRow(
            id=to_uuid(key.id),
            workspace_id=to_uuid(key.workspace_id),
            user_id=to_uuid(key.user_id),
            name=key.name,
            prefix=key.prefix,
            digest=key.digest,
            permissions=sorted(key.permissions),
            tier=key.tier,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        )
        await self._database.run(ApiKeyRow.insert(row))

    async def all(self, workspace: WorkspaceId | None = None) -> Sequence[ApiKey]:
        query = ApiKeyRow.select().order_by(ApiKeyRow.id)
        if workspace is not None:
            query = query.where(ApiKeyRow.workspace_id == to_uuid(workspace))
        return [_to_key(row) for row in await self._database.run(query)]

    async def revoke(self, key: KeyId, at: datetime) -> bool:
        sought = ApiKeyRow.id == to_uuid(key)
        await self._database.run(
            ApiKeyRow.update({ApiKeyRow.revoked_at: at}).where(sought & ApiKeyRow.revoked_at.is_null())
        )
        return bool(await self._database.run(ApiKeyRow.select(ApiKeyRow.id).where(sought)))


def _to_key(row: Row) -> ApiKey:
    return ApiKey(
        id=KeyId(from_uuid("key_", row["id"])),
        workspace_id=WorkspaceId(from_uuid("ws_", row["workspace_id"])),
        user_id=UserId(from_uuid("usr_", row["user_id"])),
        name=row["name"],
        prefix=row["prefix"],
        digest=row["digest"],
        permissions=frozenset(map(Permission, row["permissions"])),
        tier=Tier(row["tier"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
