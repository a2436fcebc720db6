"""The resources that the servers of a test share: a Postgres, a directory of files, and workspaces."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg

from adapters.postgres.embedded import open_embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.rows import from_uuid, to_uuid
from tests.acceptance.keys import unknown_key
from tests.acceptance.service import Cli, command, environment, fresh_data_dir

from .fleet import Fleet, Node, open_fleet

PLENTY = 10**12
CRASH_SAFE = ("-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on")
"""The defaults, made explicit because these tests are about durability."""


@dataclass(frozen=True)
class Workspace:
    id: str
    key: str
    storage: Path

    @property
    def uuid(self) -> UUID:
        """The id in the database."""
        return to_uuid(self.id)

    def store(self, size: int) -> str:
        """Store bytes without a signed URL and return their path."""
        path = f"workspaces/{self.id}/crash/{uuid4()}"
        file = self.storage / "objects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
        return path


@dataclass(frozen=True)
class Deployment:
    directory: Path
    database_url: str
    secret: str
    model: Workspace
    """The workspace that the command line created; `workspace` copies it."""

    @property
    def socket(self) -> Path:
        """The Unix socket of Postgres."""
        return Path(parse_qs(urlsplit(self.database_url).query)["host"][0]) / ".s.PGSQL.5432"

    @property
    def postmaster(self) -> int:
        """The process id of the postmaster."""
        return int((self.directory / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])

    def node(self, database_url: str = "") -> Node:
        """Return a server that is not started yet. By default its connections do not go through a proxy."""
        return Node(
            self.directory / "server",
            DOSSIER_DATABASE_URL=database_url or self.database_url,
            DOSSIER_STORAGE_URL=self.model.storage.as_uri(),
            DOSSIER_SECRET=self.secret,
        )

    def fleet(self, servers: int) -> AbstractAsyncContextManager[Fleet]:
        """Run this many servers for the `with` block."""
        return open_fleet([self.node() for _ in range(servers)])

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[Any]:
        """Open a connection for the test."""
        connection = await asyncpg.connect(self.database_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def workspace(self, quota: int = PLENTY) -> Workspace:
        """Create a workspace with an API key of tier unmetered, by SQL, because the command line takes two seconds."""
        uuid, key = uuid4(), unknown_key()
        async with self.sql() as sql, sql.transaction():
            await sql.execute(_COPY_WORKSPACE, uuid, self.model.uuid)
            await sql.execute("INSERT INTO usage (workspace_id, quota_bytes) VALUES ($1, $2)", uuid, quota)
            digest = hashlib.sha256(key.encode()).digest()
            await sql.execute(_COPY_KEY, uuid, uuid4(), digest, self.model.uuid)
        return Workspace(from_uuid("ws_", uuid), key, self.model.storage)


@asynccontextmanager
async def open_deployment() -> AsyncIterator[Deployment]:
    """Open a migrated Postgres with full durability, and what servers need beside it."""
    with fresh_data_dir() as directory:
        async with open_embedded(directory / "postgres", options=CRASH_SAFE) as url:
            await migrate(url)
            cli = Cli(command(), environment(directory / "server") | {"DOSSIER_DATABASE_URL": url})
            model = await asyncio.to_thread(_make_model, cli, directory / "files")
            yield Deployment(directory, url, secrets.token_hex(32), model)


def _make_model(cli: Cli, storage: Path) -> Workspace:
    workspace = cli.ask("workspace", "create", "crash", "--plan", "org", "--quota", str(PLENTY))["id"]
    words = ("--workspace", workspace, "--name", "crash", "--tier", "unmetered")
    key = cli.ask("keys", "create", *words, "--permission", "read:documents", "--permission", "write:documents")["key"]
    return Workspace(workspace, key, storage)


def kill_postgres(postmaster: int) -> None:
    """Kill every process of a Postgres with SIGKILL, the postmaster first so that it does not notice a dead child."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for process in (postmaster, *map(int, children)):
        try:
            os.kill(process, 9)
        except ProcessLookupError:
            continue  # it had ended together with the postmaster


_COPY_WORKSPACE = """
INSERT INTO workspaces (id, name, owner_id, plan, created_at)
SELECT $1, name, owner_id, plan, created_at FROM workspaces WHERE id = $2
"""

_COPY_KEY = """
INSERT INTO api_keys (workspace_id, id, user_id, name, search_text, prefix, digest, permissions, tier, created_at)
SELECT $1, $2, user_id, name, search_text, prefix, $3, permissions, tier, created_at
FROM api_keys WHERE workspace_id = $4
"""
