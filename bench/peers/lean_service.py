"""Dossier's create and read as a lean service: FastAPI and asyncpg, one prepared statement per request.

It makes the checks of `fastapi_service.py`, in the same tables. Unique keys and the update of the quota decide between
requests that race, so no request needs a transaction of several statements; only a refused one looks for the reason.
An API key is kept for half a second, as in Dossier. No request waits for another one to share a statement with it.
"""

import gc
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Response
from sqlalchemy.ext.asyncio import create_async_engine

from bench.peers import bodies
from bench.peers.tables import Base

URL = os.environ["LEAN_DATABASE_URL"]
KEY_SECONDS = 0.5

_KEY = """
SELECT k.workspace_id, k.id, k.user_id, k.permissions, k.expires_at, k.revoked_at, w.plan
FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
WHERE k.digest = $1
"""

_READ = """
SELECT
    d.id, d.name, d.description, d.mime_type, d.storage_path, d.tags, d.created_by, d.created_at, d.updated_at,
    o.size_bytes, o.sha256, o.etag, f.path
FROM documents d
JOIN objects o ON o.workspace_id = d.workspace_id AND o.storage_path = d.storage_path
LEFT JOIN folders f ON f.workspace_id = d.workspace_id AND f.id = d.folder_id
WHERE d.workspace_id = $1 AND d.id = $2
"""

# The update of the quota comes first, because every other part reads from it. It waits for other creates of the
# workspace, and changes nothing if the size does not fit. A folder's id is computed from its path, so that no create
# needs to read it.
_CREATE = """
WITH charged AS (
    UPDATE usage SET used_bytes = used_bytes + $3, documents = documents + 1, next_seq = next_seq + 1
    WHERE workspace_id = $1 AND used_bytes + $3 <= quota_bytes
    RETURNING next_seq - 1 AS seq
), placed AS (
    INSERT INTO folders (workspace_id, id, path, path_digest)
    SELECT $1, folder.id, folder.path, folder.digest
    FROM charged, unnest($14::uuid[], $15::text[], $16::bytea[]) AS folder (id, path, digest)
    ON CONFLICT DO NOTHING
), stored AS (
    INSERT INTO objects (workspace_id, storage_path, size_bytes, sha256, etag, document_id, state)
    SELECT $1, $7, $3, $4, $5, $2, 'recorded' FROM charged
), recorded AS (
    INSERT INTO documents (
        workspace_id, id, name, description, mime_type, storage_path, folder_id, tags, search_text, revision,
        created_by, created_by_key, created_at, updated_at
    )
    SELECT $1, $2, $6, $8, $9, $7, ($14::uuid[])[cardinality($14)], $10, $11, 1, $12, $13, $17, $17 FROM charged
), answered AS (
    INSERT INTO receipts (workspace_id, key, operation, fingerprint, facts, expires_at)
    SELECT $1, $18, $19, $20, $21, $22 FROM charged WHERE $18::uuid IS NOT NULL
), told AS (
    INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
    SELECT $1, seq, $17, 'document.created', $2, $12, $13, $23 FROM charged
)
SELECT seq FROM charged
"""

_FORGET_EXPIRED = "DELETE FROM receipts WHERE workspace_id = $1 AND key = $2 AND expires_at <= $3"
_RECEIPT = "SELECT operation, fingerprint, facts FROM receipts WHERE workspace_id = $1 AND key = $2"


class Key(NamedTuple):
    """The row of an API key."""

    workspace_id: UUID
    id: UUID
    user_id: UUID
    permissions: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    plan: str


class Connection(asyncpg.Connection):
    """A connection that is given back without a statement: no request leaves a setting or a lock behind."""

    def get_reset_query(self) -> str:
        return ""


class Row:
    """A row whose columns are attributes, as those of SQLAlchemy are."""

    def __init__(self, row: Any) -> None:
        self.__dict__.update(row)


pool: Any = None
keys: dict[bytes, tuple[float, Key | None]] = {}


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global pool
    engine = create_async_engine(URL.replace("postgresql:", "postgresql+asyncpg:", 1))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    pool = await asyncpg.create_pool(
        URL, min_size=bodies.POOL_SIZE, max_size=bodies.POOL_SIZE, connection_class=Connection
    )
    gc.collect()
    gc.freeze()
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan)


async def admit(authorization: str, permission: str) -> Key:
    """Return the API key that the request presents, at most half a second old."""
    digest = bodies.bearer_digest(authorization)
    now = time.monotonic()
    at, key = keys.get(digest, (0.0, None))
    if key is None or now - at > KEY_SECONDS:
        row = await pool.fetchrow(_KEY, digest)
        key = Key(*row) if row else None
        keys[digest] = now, key
    bodies.require(key, permission)
    assert key is not None
    return key


@app.get("/v1/documents/{document_id}")
async def read_document(
    document_id: str, authorization: Annotated[str, Header()] = "", *, download: bool = True
) -> Response:
    """Return a document, by default with a signed URL of its bytes."""
    key = await admit(authorization, "read:documents")
    row = await pool.fetchrow(_READ, key.workspace_id, bodies.parse_id(document_id))
    if row is None:
        raise HTTPException(404, "not_found")
    return answer(bodies.detail(Row(row), download=download).model_dump_json())


@app.post("/v1/documents")
async def create_document(
    body: bodies.DocumentIn,
    authorization: Annotated[str, Header()] = "",
    idempotency_key: Annotated[UUID | None, Header()] = None,
) -> Response:
    """Record a document whose bytes are already stored."""
    key = await admit(authorization, "write:documents")
    stored = bodies.look_at_file(body, bodies.prefixed("ws_", key.workspace_id))
    at, id_ = datetime.now(UTC), bodies.new_id()
    fingerprint = bodies.fingerprint(body)
    document = bodies.recorded(body, id_, stored["size_bytes"], key.user_id, at).model_dump_json()
    paths = bodies.ancestors(body.folder)
    digests = [hashlib.sha256(path.encode()).digest() for path in paths]
    facts = (
        *(key.workspace_id, id_, stored["size_bytes"], stored["sha256"], stored["etag"], body.name, body.storage_path),
        *(body.description, body.mime_type, body.tags, f"{body.name}\n{body.description or ''}".casefold()),
        *(key.user_id, key.id, [UUID(bytes=digest[:16]) for digest in digests], paths, digests, at),
        *(idempotency_key, bodies.OPERATION, fingerprint, document, at + bodies.RECEIPT_LIFETIME),
        f"req_{bodies.new_id().hex}",
    )
    try:
        if await pool.fetchval(_CREATE, *facts) is not None:
            return answer(f'{{"data":{document}}}', 201, {"Location": f"/v1/documents/doc_{id_.hex}"})
        refusal = HTTPException(413, "quota_exceeded")
    except asyncpg.UniqueViolationError:
        refusal = HTTPException(409, "storage_conflict")
    if idempotency_key is not None:
        if await pool.execute(_FORGET_EXPIRED, key.workspace_id, idempotency_key, at) == "DELETE 1":
            return await create_document(body, authorization, idempotency_key)
        if receipt := await pool.fetchrow(_RECEIPT, key.workspace_id, idempotency_key):
            return replay(receipt, fingerprint)
    raise refusal


def replay(receipt: Any, fingerprint: bytes) -> Response:
    """Return the answer of the earlier request with this idempotency key."""
    if (receipt["operation"], receipt["fingerprint"]) != (bodies.OPERATION, fingerprint):
        raise HTTPException(409, "idempotency_mismatch")
    document = bodies.DocumentOut.model_validate(json.loads(receipt["facts"]))
    headers = {"Idempotent-Replayed": "true"}
    return answer(bodies.Envelope(data=document).model_dump_json(), 201, headers)


def answer(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON that needs no further validation."""
    return Response(body, status, headers, "application/json")
