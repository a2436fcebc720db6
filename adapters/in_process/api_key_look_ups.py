"""Look-ups of API keys that share calls, as creates share calls in Postgres."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Protocol

from domain.ids import WorkspaceId
from ports.api_keys import ApiKeyFound

BATCH_MAX = 1000
"""The maximum number of API keys in one call, which limits its time."""

Result = asyncio.Future[ApiKeyFound | None]
Pause = Callable[[float], Awaitable[object]]


class StoredApiKeys(Protocol):
    """The part of `ApiKeys` that look-ups need."""

    async def find(self, digests: Sequence[bytes]) -> Sequence[ApiKeyFound]: ...


@dataclass(slots=True, eq=False)
class _Call:
    """A call that began at that time, and the results that it sets. `changed` are the workspaces of which an API key or
    the plan was changed since then."""

    began: float
    results: dict[bytes, list[Result]]
    changed: set[WorkspaceId] = field(default_factory=set)


class SharedLookUps:
    """Looks up API keys: those that wait at the same time share a call, and at most `calls_max` calls run at a time.

    If fewer calls run, a look-up begins at once, unless the previous call began less than `interval` seconds ago.
    `keep` gets each result, with the time at which its call began. `is_recent` says whether new callers may share a
    call that began at a given time.
    """

    def __init__(
        self,
        keys: StoredApiKeys,
        keep: Callable[[bytes, float, ApiKeyFound | None], None],
        is_recent: Callable[[float], bool],
        *,
        calls_max: int,
        interval: float,
        seconds: Callable[[], float],
        pause: Pause,
    ) -> None:
        self._keys = keys
        self._keep = keep
        self._is_recent = is_recent
        self._calls_max = calls_max
        self._interval = interval
        self._seconds = seconds
        self._pause = pause
        # A look-up can have several results: one that has to be repeated may meet a newer one.
        self._waiting: dict[bytes, list[Result]] = {}
        self._calls: list[_Call] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._tasks_busy = 0
        self._next_call_at = float("-inf")

    def pending(self, digest: bytes) -> Result | None:
        """Return the result of a look-up that waits or runs, if a new caller may share it."""
        if results := self._waiting.get(digest):
            return results[0]
        for call in self._calls:
            if digest in call.results and self._is_recent(call.began):
                return call.results[digest][0]
        return None

    def begin(self, digest: bytes) -> Result:
        """Return the result of a pending look-up, or of a new one. The caller must not cancel it."""
        result = self.pending(digest)
        if result is None:
            result = asyncio.get_running_loop().create_future()
            self._wait(digest, [result])
        return result

    def forget(self, workspace: WorkspaceId) -> None:
        """Repeat the running look-ups of the workspace's API keys, because they may have read an old state."""
        for call in self._calls:
            call.changed.add(workspace)

    async def aclose(self) -> None:
        """Cancel all look-ups."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in chain.from_iterable(self._waiting.values()):
            result.cancel()

    def _wait(self, digest: bytes, results: list[Result]) -> None:
        self._waiting.setdefault(digest, []).extend(results)
        # The task of the first look-up that waits takes those that come after it too.
        if len(self._waiting) == 1 and self._tasks_busy < self._calls_max:
            self._tasks_busy += 1
            task = asyncio.create_task(self._call_until_none_waits())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call_until_none_waits(self) -> None:
        try:
            while self._waiting:
                if (seconds := self._next_call_at - self._seconds()) > 0:
                    await self._pause(seconds)
                else:
                    await self._call()
        finally:
            # Nothing is awaited between the last check and this line, so no look-up can be missed.
            self._tasks_busy -= 1

    async def _call(self) -> None:
        began = self._seconds()
        self._next_call_at = began + self._interval
        digests = list(islice(self._waiting, BATCH_MAX))
        call = _Call(began, {digest: self._waiting.pop(digest) for digest in digests})
        self._calls.append(call)
        try:
            found = {one.key.digest: one for one in await self._keys.find(digests)}
        # The callers report every error, also one that is no outage.
        except Exception as error:  # noqa: BLE001
            for result in chain.from_iterable(call.results.values()):
                result.set_exception(error)
                # Mark the error as seen, because perhaps no caller waits any more.
                result.exception()
        except asyncio.CancelledError:
            for result in chain.from_iterable(call.results.values()):
                result.cancel()
            raise
        else:
            for digest, results in call.results.items():
                one = found.get(digest)
                if one is not None and one.key.workspace_id in call.changed:
                    self._wait(digest, results)
                    continue
                self._keep(digest, began, one)
                for result in results:
                    result.set_result(one)
        finally:
            self._calls.remove(call)
