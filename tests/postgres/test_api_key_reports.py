"""Changes of API keys are reported to every server that listens, and each server notices when it no longer does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any, cast

import asyncpg
import pytest

from adapters.in_process.api_key_cache import ApiKeyCache
from adapters.postgres.api_key_reports import api_key_changes_reported
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import to_uuid
from domain.access import ApiKey, Workspace
from domain.ids import WorkspaceId
from domain.rate_limits import Plan
from ports.api_keys import ApiKeyRevoked, ApiKeyUse
from tests.contracts.records import Records

SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'dossier reports' AND datname = current_database()"
)


class Process:
    """What a server has: a cache of API keys, and a list of the reports that it gets. Its clock can be advanced."""

    def __init__(self, records: Records) -> None:
        self.cache = ApiKeyCache(records.api_keys, self.seconds)
        self.events: list[tuple[str, Any]] = []
        self._advanced = 0.0
        self._noted = asyncio.Event()

    def seconds(self) -> float:
        return monotonic() + self._advanced

    def advance(self, seconds: float) -> None:
        self._advanced += seconds

    def begin(self, at: float) -> None:
        self.cache.begin(at)
        self._note("begin", at)

    def changed(self, workspace: WorkspaceId) -> None:
        self.cache.changed(workspace)
        self._note("changed", workspace)

    def confirm(self, at: float) -> None:
        self.cache.confirm(at)
        self._note("confirm", at)

    def _note(self, event: str, value: object) -> None:
        self.events.append((event, value))
        self._noted.set()

    def reported(self) -> list[WorkspaceId]:
        return [value for name, value in self.events if name == "changed"]

    async def confirmation(self) -> None:
        """Wait until everything that was committed before this call has been reported."""
        asked_at = self.seconds()
        await self.until(lambda: any(name == "confirm" and value > asked_at for name, value in self.events))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a report after which the condition is true."""
        async with asyncio.timeout(20):
            while not condition():
                self._noted.clear()
                await self._noted.wait()


@asynccontextmanager
async def listening(
    url: str, database: Database, records: Records, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> AsyncIterator[Process]:
    process = Process(records)
    async with api_key_changes_reported(url, database, process, process.seconds, pause):
        yield process


@pytest.fixture
async def process(database_url: str, database: Database, records: Records) -> AsyncIterator[Process]:
    """A process to which changes are reported."""
    async with listening(database_url, database, records) as process:
        await process.confirmation()
        yield process


async def revoke(records: Records, key: ApiKey) -> None:
    """Revoke the API key as another process does."""
    assert await records.api_keys.revoke(key.workspace_id, key.id, records.clock(), None) == ApiKeyRevoked()


async def sessions(database: Database) -> Sequence[Row]:
    return [row["pid"] for row in await database.fetch(SESSIONS)]


async def test_every_change_that_decides_about_a_request_is_reported_and_nothing_else(
    process: Process, records: Records, database: Database
) -> None:
    async def alter(assignment: str, home: Workspace) -> None:
        await database.fetch(f"UPDATE api_keys SET {assignment} WHERE workspace_id = $1", to_uuid(home.id))

    expected = []
    # By the API, and by an operator.
    for intent in (True, False):
        home = await records.workspace()
        await records.added(home)
        key = await records.added(home)
        await records.api_keys.revoke(home.id, key.id, records.clock(), records.intent(home) if intent else None)
        expected.append(home.id)
    home = await records.workspace()
    await records.workspaces.update(home.id, Plan.ORG, None)
    expected.append(home.id)
    for assignment in ("expires_at = now()", "permissions = '{}'", "tier = 'high'", "digest = digest", "user_id = id"):
        home = await records.workspace()
        await records.added(home)
        await alter(assignment, home)
        expected.append(home.id)
    home = await records.workspace()
    await records.added(home)
    await database.fetch("DELETE FROM api_keys WHERE workspace_id = $1", to_uuid(home.id))
    expected.append(home.id)

    home = await records.workspace()
    key = await records.added(home)
    await records.api_keys.record_uses([ApiKeyUse(home.id, key.id, records.clock())])
    await records.workspaces.update(home.id, None, 7)
    await records.workspaces.update(home.id, home.plan, None)
    await alter("name = 'other', description = 'other'", home)
    await process.confirmation()
    assert process.reported() == expected


async def test_no_confirmation_overtakes_a_change(database_url: str, database: Database, records: Records) -> None:
    async with listening(database_url, database, records, lambda _: asyncio.sleep(0)) as process:
        await process.confirmation()
        keys = [await records.added(await records.workspace()) for _ in range(60)]
        committed: dict[WorkspaceId, float] = {}

        async def revoke_and_note(key: ApiKey) -> None:
            await revoke(records, key)
            committed[key.workspace_id] = process.seconds()

        await asyncio.gather(*map(revoke_and_note, keys))
        await process.confirmation()
    assert len([name for name, _ in process.events if name == "confirm"]) > len(keys)
    for workspace, at in committed.items():
        confirmed = next(
            number for number, (name, value) in enumerate(process.events) if name == "confirm" and value > at
        )
        assert ("changed", workspace) in process.events[:confirmed]


async def test_an_api_key_is_kept_until_its_revocation_is_reported(process: Process, records: Records) -> None:
    key = await records.added(await records.workspace())
    await process.cache.look_up(key.digest)
    process.advance(250)
    await process.confirmation()
    known = process.cache.known(key.digest)
    assert known is not None
    await revoke(records, key)
    await process.confirmation()
    assert process.cache.known(key.digest) is None
    found = await process.cache.look_up(key.digest)
    assert found == replace(known, key=replace(key, revoked_at=records.clock()))


async def terminate(database: Database, session: int) -> None:
    await database.fetch("SELECT pg_terminate_backend($1, 5000)", session)


async def stop(_: Database, session: int) -> None:
    os.kill(session, signal.SIGSTOP)


@pytest.mark.parametrize("break_connection", [terminate, stop])
async def test_a_revocation_holds_after_a_second_although_the_connection_is_closed_or_falls_silent(
    process: Process,
    records: Records,
    database: Database,
    break_connection: Callable[[Database, int], Awaitable[None]],
) -> None:
    key, other = [await records.added(await records.workspace()) for _ in range(2)]
    for one in (key, other):
        await process.cache.look_up(one.digest)
    (session,) = await sessions(database)
    await break_connection(database, session)
    try:
        await revoke(records, key)
        process.advance(1)
        assert [process.cache.known(one.digest) for one in (key, other)] == [None, None]
        # Then API keys are kept again, what was read before among them not.
        await process.confirmation()
        assert process.cache.known(other.digest) is None
        found = await process.cache.look_up(other.digest)
        process.advance(10)
        await process.confirmation()
        assert process.cache.known(other.digest) == found
    finally:
        if break_connection is stop:
            os.kill(session, signal.SIGCONT)


async def test_without_notifications_nothing_is_confirmed_and_the_log_says_why(
    database_url: str, database: Database, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """A pooler in transaction mode accepts LISTEN, and drops the notifications."""

    class Dropping:
        async def fetch(self, _: str, *__: object) -> None:
            """Send nothing."""

    attempts = asyncio.Semaphore(0)

    async def pause(_: float) -> None:
        attempts.release()
        await asyncio.sleep(0)

    async with listening(database_url, cast("Database", Dropping()), records, pause) as process:
        for _ in range(2):
            await attempts.acquire()
        assert process.events == []
    assert [record.getMessage() for record in caplog.records] == [
        "changes of API keys are not reported, so API keys are read again every second: "
        "a test notification has not arrived; a pooler in transaction mode drops them"
    ]


async def test_a_session_that_a_pooler_has_replaced_confirms_nothing(
    database_url: str, database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect: Any = asyncpg.connect
    connections: list[Any] = []

    async def connect_and_keep(*arguments: object, **named: object) -> Any:
        connections.append(await connect(*arguments, **named))
        return connections[-1]

    async def pause(_: float) -> None:
        await asyncio.sleep(0)
        if len(connections) == 1 and not connections[0].is_closed():
            # The new session listens to nothing.
            await connections[0].execute("UNLISTEN *")

    monkeypatch.setattr(asyncpg, "connect", connect_and_keep)
    async with listening(database_url, database, records, pause) as process:
        await process.until(lambda: [name for name, _ in process.events].count("begin") == 2)
    assert [name for name, _ in process.events][:3] == ["begin", "confirm", "begin"]


async def test_no_session_remains_at_the_end(database_url: str, database: Database, records: Records) -> None:
    async with listening("postgresql://u@127.0.0.1:1/none", database, records, lambda _: asyncio.sleep(0)):
        await asyncio.sleep(0)
    async with listening(database_url, database, records) as process:
        await process.confirmation()
        assert len(await sessions(database)) == 1
    async with asyncio.timeout(20):
        # Postgres ends a session a little later than its client does.
        while await sessions(database):  # noqa: ASYNC110  Postgres sets no event
            await asyncio.sleep(0)
