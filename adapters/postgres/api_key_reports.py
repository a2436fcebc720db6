"""Reports of changed API keys. A connection of its own listens for the notifications that triggers of the database send
in the transaction of each change.

A connection can fail without a sign: the other end no longer answers, or a pooler in transaction mode drops the
notifications. So a test notification must arrive before the first confirmation, and each confirmation needs an answer
of the listening session. Postgres delivers all notifications that it has before it ends the answer to a statement.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, NoReturn
from uuid import UUID, uuid4

import asyncpg

from adapters.postgres import statements
from adapters.postgres.database import CONNECT_SECONDS, Database, connection_problem
from adapters.postgres.rows import from_uuid
from domain.ids import WorkspaceId
from ports.api_keys import ApiKeyReports
from ports.system import Unavailable

CHANNEL = "dossier_api_keys"
"""The channel to which the function `report_api_keys` of the database sends."""

CONFIRM_SECONDS = 0.3
"""The pause between two confirmations. API keys are kept only while the last one is less than a second old, so a late
answer must not matter at once."""

ANSWER_SECONDS = 1.0
"""The longest time to wait for an answer of the listening session, or for the test notification."""

RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""The pauses between attempts to listen again. The last one is repeated."""

Pause = Callable[[float], Awaitable[object]]

_OUTAGES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

log = logging.getLogger("dossier.keys")


class _Unusable(Exception):
    """The session does not receive notifications."""


@asynccontextmanager
async def api_key_changes_reported(
    url: str,
    database: Database,
    reports: ApiKeyReports,
    seconds: Callable[[], float] = monotonic,
    pause: Pause = asyncio.sleep,
) -> AsyncIterator[None]:
    """Report changes in the background until the end of the block. `seconds` is the clock of `reports`.

    A lost connection is replaced. Until then nothing is confirmed, and `reports` has to do without. `database` sends
    the test notification.
    """
    task = asyncio.create_task(_Listener(url, database, reports, seconds, pause).listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class _Listener:
    def __init__(
        self, url: str, database: Database, reports: ApiKeyReports, seconds: Callable[[], float], pause: Pause
    ) -> None:
        self._url = url
        self._database = database
        self._reports = reports
        self._seconds = seconds
        self._pause = pause
        self._failures = 0
        self._tests: dict[str, asyncio.Event] = {}

    async def listen(self) -> NoReturn:
        while True:
            try:
                await self._listen_once()
            except (*_OUTAGES, Unavailable, _Unusable) as error:
                self._log_outage(error)
            # A bug must not end the reports for ever.
            except Exception:
                log.exception("the reports of changed API keys have failed, and are tried again")
            await self._pause(RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)])
            self._failures += 1

    async def _listen_once(self) -> NoReturn:
        connection: Any = await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS, server_settings={"application_name": "dossier reports"}
        )
        try:
            await self._listen_on(connection)
        except asyncio.CancelledError:
            # The server ends. Say so to Postgres, unless it does not answer.
            with suppress(*_OUTAGES):
                await connection.close(timeout=ANSWER_SECONDS)
            raise
        finally:
            with suppress(asyncpg.InterfaceError):
                connection.terminate()

    async def _listen_on(self, connection: Any) -> NoReturn:
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.add_listener(CHANNEL, self._receive)
        listening_from = self._seconds()
        await self._receive_a_test()
        self._reports.begin(listening_from)
        while True:
            asked_at = self._seconds()
            # A simple query, because poolers lose prepared statements.
            try:
                answer = await connection.execute(
                    f"SELECT FROM pg_listening_channels() AS channel WHERE channel = '{CHANNEL}'",
                    timeout=ANSWER_SECONDS,
                )
            except TimeoutError:
                raise _Unusable("the listening session does not answer") from None
            if answer != "SELECT 1":
                raise _Unusable("the listening session was replaced by another one")
            self._reports.confirm(asked_at)
            if self._failures:
                log.warning("changes of API keys are reported again")
                self._failures = 0
            await self._pause(CONFIRM_SECONDS)

    async def _receive_a_test(self) -> None:
        """Send a notification through another connection, and wait until it arrives. Nothing is sent to the listening
        session meanwhile, because a pooler in transaction mode would deliver it only then."""
        name = f"test {uuid4()}"
        arrived = self._tests[name] = asyncio.Event()
        try:
            await self._database.fetch(statements.NOTIFY, CHANNEL, name)
            async with asyncio.timeout(ANSWER_SECONDS):
                await arrived.wait()
        except TimeoutError:
            raise _Unusable("a test notification has not arrived; a pooler in transaction mode drops them") from None
        finally:
            del self._tests[name]

    def _receive(self, _connection: Any, _process: int, _channel: str, payload: str) -> None:
        if (arrived := self._tests.get(payload)) is not None:
            arrived.set()
            return
        # Other texts are the tests of other processes.
        with suppress(ValueError):
            self._reports.changed(WorkspaceId(from_uuid("ws_", UUID(payload))))

    def _log_outage(self, error: Exception) -> None:
        if not self._failures:
            log.warning(
                "changes of API keys are not reported, so API keys are read again every second: %s",
                error if isinstance(error, _Unusable) else connection_problem(error),
            )
