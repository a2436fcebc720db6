"""The advisory locks of a process."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg

_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
_UNLOCK = "SELECT pg_advisory_unlock($1)"


class AdvisoryLocks:
    """The advisory locks that this process holds, all in one session: together they occupy one connection of the pool.

    If each occupied one, jobs that hold locks could wait for each other's connections.
    """

    def __init__(self, pool: Any, acquire_seconds: float, statement_seconds: float) -> None:
        self._pool = pool
        self._acquire_seconds = acquire_seconds
        self._statement_seconds = statement_seconds
        self._turn = asyncio.Lock()
        self._session: Any = None
        # The session in which each lock was taken. If that session was lost, so was the lock.
        self._held: dict[int, Any] = {}
        self._releasing: set[asyncio.Task[None]] = set()

    async def take(self, lock: int) -> bool:
        """Take a lock if it is free. Return whether this call got it. Raises errors of asyncpg, and `TimeoutError`."""
        async with self._turn:
            # Postgres would give a lock to its session a second time.
            if lock in self._held:
                return False
            if self._session is None:
                self._session = await self._pool.acquire(timeout=self._acquire_seconds)
            try:
                if is_free := await self._ask(_TRY_LOCK, lock):
                    self._held[lock] = self._session
                return bool(is_free)
            finally:
                await self._return_session()

    async def release(self, lock: int) -> None:
        """Release a lock that `take` got. After any error it is released too.

        If this call is cancelled, the release goes on, so that the other locks of the session stay.
        """
        task = asyncio.create_task(self._release(lock))
        # Keep a reference: the event loop has only weak references to tasks.
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)
        await asyncio.shield(task)

    async def _release(self, lock: int) -> None:
        async with self._turn:
            if self._held.pop(lock) is self._session:
                try:
                    await self._ask(_UNLOCK, lock)
                finally:
                    await self._return_session()

    async def _ask(self, sql: str, lock: int) -> Any:
        try:
            return await self._session.fetchval(sql, lock, timeout=self._statement_seconds)
        except BaseException:
            # The session may hold the lock or not. Its end releases the lock.
            self._end_session()
            raise

    async def _return_session(self) -> None:
        """Return the connection to the pool if it holds no lock."""
        if self._session is not None and self._session not in self._held.values():
            session, self._session = self._session, None
            await self._pool.release(session)

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # After a lost connection, asyncpg has taken the connection back already, and `terminate` raises this error.
            with suppress(asyncpg.InterfaceError):
                session.terminate()
