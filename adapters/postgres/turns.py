"""The sharing of a few places between workspaces, so that one with much work waits behind itself only."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """A number of places. At most `each` of them are taken by one owner, and owners that wait get free places in turns.

    So an owner waits for one place to become free, however many calls of another owner wait.
    """

    def __init__(self, places: int, each: int) -> None:
        self._free = places
        self._each = each
        self._taken: Counter[Hashable] = Counter()
        # The calls that wait, by owner. The first owner with fewer than `each` places is the next one.
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def of(self, owner: Hashable) -> AsyncIterator[None]:
        """Take a place for the block."""
        if owner in self._waiting or not self._has_place(owner):
            await self._wait(owner)
        else:
            self._take(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    async def _wait(self, owner: Hashable) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._forget(owner, turn)
            else:
                # The place was given in the moment in which the wait ended.
                self._give_back(owner)
            raise

    def _has_place(self, owner: Hashable) -> bool:
        return self._free > 0 and self._taken[owner] < self._each

    def _take(self, owner: Hashable) -> None:
        self._free -= 1
        self._taken[owner] += 1

    def _give_back(self, owner: Hashable) -> None:
        self._free += 1
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        while (following := next(filter(self._has_place, self._waiting), None)) is not None:
            queue = self._waiting.pop(following)
            turn = queue.popleft()
            if queue:
                # Its next call waits behind the other owners.
                self._waiting[following] = queue
            # A cancelled call gets to `_forget` only later.
            if not turn.cancelled():
                self._take(following)
                turn.set_result(None)

    def _forget(self, owner: Hashable, turn: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[owner]
