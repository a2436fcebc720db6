"""Counting requests of many processes together, in Valkey; and without it, while it is away.

Requests that wait at the same time share one call, as creates do in `adapters/postgres/writer.py`: nothing waits for
company, what comes while a call is under way goes with the next.

A service that answers nothing because its counters are away would be worse than one that counts by itself for a while.
So a request waits for Valkey a few hundredths of a second at most, and those after it not at all: they count in this
process alone, against a share of the limit, until Valkey has answered a question that is asked in the background.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from valkey.exceptions import ValkeyError

from adapters.throttle.counters import Counter, Group, ValkeyCounters
from adapters.throttle.location import valkey_location
from adapters.throttle.patience import Patience
from domain.rate_limits import Verdict, Window
from ports.rate_limit import RateLimiter
from ports.system import Unavailable

log = logging.getLogger("dossier.throttle")

BUDGET_SECONDS = 0.035
"""How long a request waits for Valkey: for its turn, for a connection if there is none, and for the answer."""

CALL_MIN_SECONDS = 0.01
"""What a call gets at least, whose requests have waited for one that was slow: so a request waits 45 ms at most."""

STEADY_SHARE = 0.5
"""Within which part of that it must answer to be used again: slower, and a request that waits for its turn would soon
have waited too long."""

CONNECT_SECONDS = 0.5
PAUSE_SECONDS = 0.2
"""How long the background waits for an answer, and then until it asks again: so it is back in 0.7 s at most."""

REQUESTS_MAX = 512
"""What one call carries at most, so that Valkey is not long at it."""

Pause = Callable[[float], Awaitable[object]]

_QUESTION = "question"
_ANY_TIME = datetime.fromtimestamp(0, UTC)
_NO_LIMIT = (Window(2**53, 60),)
"""What is counted to see whether counting works: a server that is full or read-only answers a ping."""


@dataclass(slots=True, eq=False)
class _Request:
    """One that waits for what was used of its windows before it, or for `None` when that cannot be known."""

    subject: str
    windows: tuple[Window, ...]
    ends: tuple[int, ...]
    at: datetime
    came: float
    used: "asyncio.Future[Sequence[int] | None]"


class ValkeyRateLimiter:
    """`RateLimiter` on counters that processes share, and on `fallback`, with its share of the limit, without them."""

    def __init__(
        self,
        counters: ValkeyCounters,
        fallback: RateLimiter,
        shares: int,
        on_fallback: Callable[[], None],
        name: str,
        pause: Pause = asyncio.sleep,
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        self._counters = counters
        self._fallback = fallback
        self._shares = shares
        self._on_fallback = on_fallback
        self._name = name
        self._pause = pause
        self._budget_seconds = budget_seconds
        self._waiting: deque[_Request] = deque()
        self._calling: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._away: str | None = None

    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        if self._away is None:
            used = await self._ask(subject, windows, at)
            if used is not None:
                return Verdict.of(windows, used, at)
        self._on_fallback()
        share = [Window(max(1, window.limit // self._shares), window.seconds) for window in windows]
        return await self._fallback.acquire(subject, share, at)

    async def probe(self) -> None:
        """Count something, as a request does.

        Raises:
            Unavailable: requests are counted without Valkey.
        """
        if self._away is None:
            await self._ask(_QUESTION, _NO_LIMIT, _ANY_TIME)
        if self._away is not None:
            raise Unavailable(self._away)

    async def open(self) -> None:
        """Connect, so that the first request need not; or begin without it."""
        if (reason := await self._question()) is not None:
            self._leave(reason)

    async def aclose(self) -> None:
        """Let the call that is under way end, and close the connections. What comes later is counted without them."""
        self._away = self._away or f"{self._name} is closed"
        if self._calling is not None:
            await asyncio.wait({self._calling})
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        # To say goodbye to a server that does not answer takes for ever.
        with suppress(ValkeyError, OSError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._counters.aclose()

    async def _ask(self, subject: str, windows: Sequence[Window], at: datetime) -> Sequence[int] | None:
        """What was used of each window before this request, which has been counted if they all had room.

        Cancelling the wait takes the request out of the next call, and nothing from others.
        """
        loop = asyncio.get_running_loop()
        ends = tuple(window.end(at) for window in windows)
        request = _Request(subject, tuple(windows), ends, at, loop.time(), loop.create_future())
        self._waiting.append(request)
        if self._calling is None:
            self._calling = asyncio.create_task(self._call_for_all())
        return await request.used

    async def _call_for_all(self) -> None:
        now = asyncio.get_running_loop().time
        batch: list[_Request] = []
        spent = 0.0
        try:
            while self._waiting:
                batch = self._next_batch()
                if not batch:
                    continue
                # A stall of our own loop is not Valkey's here either.
                waited = min(now() - batch[0].came, spent)
                patience = Patience(max(self._budget_seconds - waited, CALL_MIN_SECONDS))
                try:
                    async with patience:
                        await self._call(batch)
                # Whatever it is: a limiter that fails must not fail the request.
                except Exception as error:  # noqa: BLE001
                    self._leave(_in_words(error))
                    return
                spent = patience.spent
        finally:
            # Nothing was awaited since nothing was found to wait: nobody can have come in between.
            self._calling = None
            for request in (*batch, *self._waiting):
                _tell(request, None)
            self._waiting.clear()

    def _next_batch(self) -> list[_Request]:
        batch: list[_Request] = []
        while self._waiting and len(batch) < REQUESTS_MAX:
            request = self._waiting.popleft()
            if not request.used.done():
                batch.append(request)
        return batch

    async def _call(self, batch: Sequence[_Request]) -> None:
        """Have all requests decided in one step, as if in the order they came."""
        groups: list[tuple[Group, list[_Request]]] = []
        latest: dict[str, tuple[Group, list[_Request]]] = {}
        for request in batch:
            # Only the latest of its subject: requests with other limits in between may have changed the count.
            found = latest.get(request.subject)
            if found is None or found[1][0].windows != request.windows or found[1][0].ends != request.ends:
                found = latest[request.subject] = (Group(_counters(request), 0), [])
                groups.append(found)
            found[0].requests += 1
            found[1].append(request)
        counts = await self._counters.count([group for group, _ in groups])
        for (_, requests), used in zip(groups, counts, strict=True):
            room = min(window.limit - count for window, count in zip(requests[0].windows, used, strict=True))
            for number, request in enumerate(requests):
                before = min(number, max(room, 0))
                _tell(request, [count + before for count in used])

    def _leave(self, reason: str) -> None:
        """Go on without Valkey, and ask it in the background when it is back."""
        if self._away is None:
            self._away = f"{self._name}: {reason}"
            log.warning("requests are counted in this process alone, against 1/%d: %s", self._shares, self._away)
            self._returning = asyncio.create_task(self._return())

    async def _return(self) -> None:
        # At once: what failed may have been a single answer that came too late.
        while await self._question() is not None:
            await self._pause(PAUSE_SECONDS)
        self._away = None
        self._returning = None
        log.warning("requests are counted in %s again", self._name)

    async def _question(self) -> str | None:
        """Why requests cannot be counted there, if so."""
        question = [Group([Counter(_QUESTION, _NO_LIMIT[0].limit, _NO_LIMIT[0].seconds)], 1)]
        try:
            async with Patience(CONNECT_SECONDS):
                await self._counters.count(question)
            # Once more, with the connection made.
            async with Patience(self._budget_seconds * STEADY_SHARE):
                await self._counters.count(question)
        except Exception as error:  # noqa: BLE001  as above
            return _in_words(error)
        return None


@asynccontextmanager
async def open_valkey_limiter(
    url: str,
    *,
    fallback: RateLimiter,
    shares: int,
    on_fallback: Callable[[], None],
    budget_seconds: float = BUDGET_SECONDS,
) -> AsyncIterator[ValkeyRateLimiter]:
    """A limiter on the server that the setting names, until the end of the block; it need not be there yet.

    While it is away, each window admits `limit // shares` requests, at least one, by the count of `fallback`;
    `on_fallback` is called for each request that is counted so.
    """
    location = valkey_location(url)
    limiter = ValkeyRateLimiter(
        ValkeyCounters(location), fallback, shares, on_fallback, location.shown, budget_seconds=budget_seconds
    )
    try:
        await limiter.open()
        yield limiter
    finally:
        await limiter.aclose()


def _counters(request: _Request) -> list[Counter]:
    now = int(request.at.timestamp())
    return [
        Counter(f"{request.subject}:{window.seconds}:{end}", window.limit, end - now)
        for window, end in zip(request.windows, request.ends, strict=True)
    ]


def _tell(request: _Request, used: Sequence[int] | None) -> None:
    if not request.used.done():
        request.used.set_result(used)


def _in_words(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
