"""API keys in Postgres: every change is one call of a function that takes the workspace lock first."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from adapters.postgres.reads import Reads
from adapters.postgres.receipts import receipt_facts
from adapters.postgres.rows import LEAST_ID, from_uuid, to_hex, to_intent, to_json, to_time, to_uuid
from adapters.postgres.tables import ApiKeyRow
from domain.access import ApiKey, Permission
from domain.ids import ApiKeyId, UserId, WorkspaceId
from domain.pages import Page
from domain.rate_limits import Plan, Tier
from domain.text import fold
from ports.api_keys import (
    AddApiKeyOutcome,
    ApiKeyAdded,
    ApiKeyFound,
    ApiKeyNameTaken,
    ApiKeyPage,
    ApiKeyReplayed,
    ApiKeyRevoked,
    ApiKeyUse,
    LastAdminApiKey,
    NoSuchApiKey,
    RevokeApiKeyOutcome,
)
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused
from ports.system import Clock

PAGE = 1000


class PostgresApiKeys:
    """`ApiKeys` in Postgres. Only `search` uses the connections of `reads`. `hashing_key` is that of
    `PostgresDocuments`: all receipts are in one table."""

    def __init__(self, database: Database, reads: Reads, now: Clock, hashing_key: bytes) -> None:
        self._hashing_key = hashing_key
        self._database = database
        self._reads = reads
        self._now = now

    async def find(self, digests: Sequence[bytes]) -> Sequence[ApiKeyFound]:
        rows = await self._database.read(statements.FIND_API_KEYS, digests)
        return [ApiKeyFound(_to_key(row), Plan(row["plan"])) for row in rows]

    async def add(self, key: ApiKey, intent: Intent | None = None, sealed: bytes = b"") -> AddApiKeyOutcome:
        columns = _to_columns(key)
        answer = {"key": columns, "sealed": b64encode(sealed).decode()}
        rows = await self._database.change(
            key.workspace_id,
            statements.ADD_API_KEY,
            to_uuid(key.workspace_id),
            to_json(columns),
            None if intent is None else to_json(to_intent(intent, key.created_at, self._hashing_key)),
            to_json(answer),
        )
        match rows[0]["outcome"]:
            case "created":
                return ApiKeyAdded()
            case "replayed":
                return _to_replay(rows[0]["facts"])
            case "key_reused":
                return IdempotencyKeyReused()
            case "name_taken":
                return ApiKeyNameTaken()
            case unknown:
                raise AssertionError(f"add_api_key returned {unknown}")

    async def receipt(self, intent: Intent) -> ApiKeyReplayed | IdempotencyKeyReused | None:
        found = await receipt_facts(self._database, intent, self._now(), self._hashing_key)
        return _to_replay(found) if isinstance(found, str) else found

    async def revoke(
        self, workspace: WorkspaceId, key: ApiKeyId, at: datetime, intent: Intent | None
    ) -> RevokeApiKeyOutcome:
        rows = await self._database.change(
            workspace,
            statements.REVOKE_API_KEY,
            to_uuid(workspace),
            to_uuid(key),
            at,
            None if intent is None else to_json(to_intent(intent, at, self._hashing_key, uuid4())),
        )
        match rows[0]["outcome"]:
            case "revoked":
                return ApiKeyRevoked()
            case "replayed":
                return ApiKeyRevoked(replayed=True)
            case "key_reused":
                return IdempotencyKeyReused()
            case "unknown":
                return NoSuchApiKey()
            case "last_admin":
                return LastAdminApiKey()
            case unknown:
                raise AssertionError(f"revoke_api_key returned {unknown}")

    async def get(self, key: ApiKeyId) -> ApiKey | None:
        rows = await self._database.run(ApiKeyRow.select().where(ApiKeyRow.id == to_uuid(key)))
        return _to_key(rows[0]) if rows else None

    async def all(self, workspace: WorkspaceId) -> Sequence[ApiKey]:
        query = ApiKeyRow.select().where(ApiKeyRow.workspace_id == to_uuid(workspace)).order_by(ApiKeyRow.id)
        return [_to_key(row) for row in await self._database.run(query)]

    async def pages(self) -> AsyncIterator[Sequence[ApiKey]]:
        after = {"workspace_id": LEAST_ID, "id": LEAST_ID}
        async for rows in self._database.pages(statements.LIST_API_KEYS, after=after, size=PAGE):
            yield [_to_key(row) for row in rows]

    async def search(self, workspace: WorkspaceId, text: str, page: Page, *, include_revoked: bool) -> ApiKeyPage:
        sought = to_uuid(workspace), fold(text), include_revoked
        rows = await self._reads.list(statements.SEARCH_API_KEYS, *sought, page.offset, page.size)
        if rows or page.offset == 0:
            return ApiKeyPage([_to_key(row) for row in rows], rows[0]["total"] if rows else 0)
        # A page beyond the end has no row that could carry the total.
        return ApiKeyPage([], (await self._reads.list(statements.COUNT_API_KEYS, *sought))[0]["total"])

    async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
        await self._database.fetch(
            statements.RECORD_API_KEY_USES,
            [to_uuid(use.workspace_id) for use in uses],
            [to_uuid(use.key_id) for use in uses],
            [use.at for use in uses],
        )


def _to_replay(facts: str) -> ApiKeyReplayed:
    kept = msgspec.json.decode(facts)
    return ApiKeyReplayed(_from_columns(kept["key"]), b64decode(kept["sealed"]))


def _to_columns(key: ApiKey) -> dict[str, Any]:
    """Return an API key as values that msgspec encodes as JSON, for its row and for its receipt."""
    return {
        "workspace_id": to_hex(key.workspace_id),
        "id": to_hex(key.id),
        "user_id": to_hex(key.user_id),
        "name": key.name,
        "description": key.description,
        "search_text": fold(key.name),
        "prefix": key.prefix,
        "digest": "\\x" + key.digest.hex(),
        "permissions": sorted(key.permissions),
        "tier": key.tier,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _from_columns(columns: dict[str, Any]) -> ApiKey:
    expires_at = columns["expires_at"]
    return _to_key(
        columns
        | {
            "digest": bytes.fromhex(columns["digest"].removeprefix("\\x")),
            "created_at": to_time(columns["created_at"]),
            "expires_at": None if expires_at is None else to_time(expires_at),
            # A new API key is neither revoked nor used.
            "revoked_at": None,
            "last_used_at": None,
        }
    )


def _to_key(row: Row) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(from_uuid("key_", row["id"])),
        workspace_id=WorkspaceId(from_uuid("ws_", row["workspace_id"])),
        user_id=UserId(from_uuid("usr_", row["user_id"])),
        name=row["name"],
        description=row["description"],
        prefix=row["prefix"],
        digest=row["digest"],
        permissions=frozenset(map(Permission, row["permissions"])),
        tier=Tier(row["tier"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
