"""Look-ups of API keys: those that wait at the same time share a call. Requests with one API key share a look-up."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from adapters.batching.shared_calls import Again, SharedCalls
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
class _LookUp:
    """A look-up, and the time at which its call began."""

    result: Result
    began: float = math.inf


class SharedLookUps:
    """Looks up API keys in at most `calls_max` calls at a time, which begin at least `interval` seconds apart.

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
        self._interval = interval
        self._seconds = seconds
        self._pause = pause
        self._next_call_at = -math.inf
        self._calls = SharedCalls(self._find, most=BATCH_MAX, calls_max=calls_max, place=self._place)
        # The newest look-up of each API key.
        self._look_ups: dict[bytes, _LookUp] = {}
        # For each call that reads: the workspaces of which an API key or the plan was changed since it began.
        self._changed: list[set[WorkspaceId]] = []

    def pending(self, digest: bytes) -> Result | None:
        """Return the result of a look-up that waits or runs, if a new caller may share it."""
        look_up = self._look_ups.get(digest)
        if look_up is None or (look_up.began < math.inf and not self._is_recent(look_up.began)):
            return None
        return look_up.result

    def begin(self, digest: bytes) -> Result:
        """Return the result of a pending look-up, or of a new one. The caller must not cancel it."""
        result = self.pending(digest)
        if result is None:
            result = self._calls.ask(digest)
            look_up = self._look_ups[digest] = _LookUp(result)

            def forget(_: object) -> None:
                if self._look_ups.get(digest) is look_up:
                    del self._look_ups[digest]

            result.add_done_callback(forget)
        return result

    def forget(self, workspace: WorkspaceId) -> None:
        """Repeat the running look-ups of the workspace's API keys, because they may have read an old state."""
        for changed in self._changed:
            changed.add(workspace)

    async def aclose(self) -> None:
        """Cancel all look-ups."""
        await self._calls.aclose()

    @asynccontextmanager
    async def _place(self, _: Hashable) -> AsyncIterator[None]:
        while (seconds := self._next_call_at - self._seconds()) > 0:
            await self._pause(seconds)
        self._next_call_at = self._seconds() + self._interval
        yield

    async def _find(self, digests: Sequence[bytes]) -> Mapping[bytes, ApiKeyFound | Again]:
        began = self._seconds()
        for digest in digests:
            # A newer look-up of the API key may have ended before this one.
            if (look_up := self._look_ups.get(digest)) is not None:
                look_up.began = began
        changed: set[WorkspaceId] = set()
        self._changed.append(changed)
        try:
            found = {one.key.digest: one for one in await self._keys.find(digests)}
        finally:
            # By identity: other sets may be equal.
            self._changed = [other for other in self._changed if other is not changed]
        again = {digest: Again.AGAIN for digest in found if found[digest].key.workspace_id in changed}
        for digest in {*digests}.difference(again):
            self._keep(digest, began, found.get(digest))
        return found | again
