"""The rate limiter of several processes. It counts in Valkey, or in this process while Valkey is unavailable.

Requests that wait at the same time share one call (`adapters/batching/shared_calls.py`).

If Valkey is unavailable, counting imprecisely for a while is better than refusing every request. So one request waits
for Valkey for at most a few hundredths of a second, and the requests after it do not wait at all. They are counted in
this process, against a share of the limit, until a probe in the background succeeds.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from valkey.exceptions import ValkeyError

from adapters.batching.shared_calls import SharedCalls
from adapters.throttle.counters import Counter, Group, ValkeyCounters
from adapters.throttle.location import valkey_location
from adapters.throttle.timeout import StallTolerantTimeout
from domain.rate_limits import Verdict, Window
from ports.rate_limit import RateLimiter
from ports.system import Unavailable

log = logging.getLogger("dossier.throttle")

BUDGET_SECONDS = 0.035
"""The longest time a request waits for Valkey: for the previous call, for a connection if there is none, and for the
response."""

CALL_MIN_SECONDS = 0.01
"""The minimum time of a call whose requests have waited for a slow call before it. So a request that waits for one call
before its own waits for at most 45 ms."""

RETURN_SHARE = 0.5
"""The part of the budget within which Valkey must respond to be used again. If it were slower, requests that also wait
for the previous call would soon exceed the budget."""

CONNECT_SECONDS = 0.5
PAUSE_SECONDS = 0.2
"""The time a probe waits to connect, and the pause between probes. So Valkey is used again at most 0.7 s after it
recovers."""

REQUESTS_MAX = 512
"""The maximum number of requests in one call, which limits the time that Valkey executes the script."""

REFUSALS_MAX = 10_000
"""The number of refusals that are remembered. Beyond it, all are forgotten, which costs one call for each subject."""

Pause = Callable[[float], Awaitable[object]]

_PROBE = "probe"
_ANY_TIME = datetime.fromtimestamp(0, UTC)
_NO_LIMIT = (Window(2**53, 60),)
"""The window in which a probe counts. A PING is not enough, because a full or read-only server responds to it."""


@dataclass(slots=True, eq=False)
class _Request:
    """A request to count. It is equal only to itself, because each request counts."""

    subject: str
    windows: tuple[Window, ...]
    ends: tuple[int, ...]
    at: datetime
    arrived: float


class ValkeyRateLimiter:
    """A `RateLimiter` on shared counters. During an outage, `fallback` counts, against 1/`shares` of each limit.

    `on_fallback` is called for each request that `fallback` decides. `name` is the server in messages.
    """

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
        self._calls = SharedCalls(self._count_all, most=REQUESTS_MAX)
        # How long the previous call took, and when it ended.
        self._elapsed = 0.0
        self._ended = 0.0
        self._recovery: asyncio.Task[None] | None = None
        # The reason why Valkey is not used at the moment.
        self._outage: str | None = None
        # When the refusing window ends, in Unix seconds, by subject and windows.
        self._refused: dict[tuple[str | Window, ...], int] = {}

    async def acquire(self, subject: str, windows: Sequence[Window], at: datetime) -> Verdict:
        if self._outage is None:
            used = await self._count(subject, windows, at)
            if used is not None:
                verdict = Verdict.of(windows, used, at)
                if not verdict.admitted:
                    if len(self._refused) >= REFUSALS_MAX:
                        self._refused.clear()
                    self._refused[subject, *windows] = int(at.timestamp()) + verdict.retry_after
                return verdict
        self._on_fallback()
        return await self._fallback.acquire(subject, self._share(windows), at)

    def refuses(self, subject: str, windows: Sequence[Window], at: datetime) -> bool:
        if int(at.timestamp()) < self._refused.get((subject, *windows), 0):
            return True
        return self._outage is not None and self._fallback.refuses(subject, self._share(windows), at)

    def _share(self, windows: Sequence[Window]) -> Sequence[Window]:
        return [Window(max(1, window.limit // self._shares), window.seconds) for window in windows]

    async def probe(self) -> None:
        """Count a test request in Valkey.

        Raises:
            Unavailable: requests are counted without Valkey.
        """
        if self._outage is None:
            await self._count(_PROBE, _NO_LIMIT, _ANY_TIME)
        if self._outage is not None:
            raise Unavailable(self._outage)

    async def open(self) -> None:
        """Connect, so that the first request does not wait for the connection. If that fails, start without Valkey."""
        if (reason := await self._probe_failure()) is not None:
            self._begin_outage(reason)

    async def aclose(self) -> None:
        """Wait for the current call and close the connections. Later requests are counted without Valkey."""
        self._outage = self._outage or f"{self._name} is closed"
        await self._calls.ended()
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait({self._recovery})
        # This has a time limit, because closing a connection to a server that does not respond takes for ever.
        with suppress(ValkeyError, OSError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._counters.aclose()

    async def _count(self, subject: str, windows: Sequence[Window], at: datetime) -> Sequence[int] | None:
        """Return how many requests each window had admitted before this request. The request is counted if no window
        was full.

        `None` if Valkey did not respond. Cancelling removes only this request from the next call.
        """
        ends = tuple(window.end(at) for window in windows)
        now = asyncio.get_running_loop().time()
        return await self._calls.ask(_Request(subject, tuple(windows), ends, at, now))

    async def _count_all(self, requests: Sequence[_Request]) -> Mapping[_Request, Sequence[int]]:
        if self._outage is not None:
            return {}
        now = asyncio.get_running_loop().time
        arrived = requests[0].arrived
        # Subtract at most the measured time of the previous call, so that a stall of our own event loop does not count.
        waited = min(now() - arrived, self._elapsed) if arrived < self._ended else 0.0
        timeout = StallTolerantTimeout(max(self._budget_seconds - waited, CALL_MIN_SECONDS))
        try:
            async with timeout:
                return await self._call(requests)
        # Catch every error, because a limiter that fails must not fail the request. The fallback counts it instead.
        except Exception as error:  # noqa: BLE001
            self._begin_outage(_explain(error))
            return {}
        finally:
            self._elapsed, self._ended = timeout.elapsed, now()

    async def _call(self, requests: Sequence[_Request]) -> Mapping[_Request, Sequence[int]]:
        """Count all requests in one step, with the same result as one by one in the order of arrival."""
        groups: list[tuple[Group, list[_Request]]] = []
        latest: dict[str, tuple[Group, list[_Request]]] = {}
        for request in requests:
            # A request may join only the latest group of its subject. Requests with other limits that arrived between
            # them may have changed the counts of the subject.
            same = latest.get(request.subject)
            if same is None or same[1][0].windows != request.windows or same[1][0].ends != request.ends:
                same = latest[request.subject] = (Group(_counters(request), 0), [])
                groups.append(same)
            same[0].requests += 1
            same[1].append(request)
        counts = await self._counters.count([group for group, _ in groups])
        used: dict[_Request, Sequence[int]] = {}
        for (_, alike), before_group in zip(groups, counts, strict=True):
            room = max(
                0, min(window.limit - count for window, count in zip(alike[0].windows, before_group, strict=True))
            )
            for number, request in enumerate(alike):
                used[request] = [count + min(number, room) for count in before_group]
        return used

    def _begin_outage(self, reason: str) -> None:
        """Continue without Valkey, and probe it in the background."""
        if self._outage is None:
            self._outage = f"{self._name}: {reason}"
            log.warning(
                "requests are counted in this process only, against 1/%d of each limit: %s", self._shares, self._outage
            )
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        # The first probe is sent at once, because perhaps only a single response was late.
        while await self._probe_failure() is not None:
            await self._pause(PAUSE_SECONDS)
        self._outage = None
        self._recovery = None
        log.warning("requests are counted in %s again", self._name)

    async def _probe_failure(self) -> str | None:
        """Return the reason why requests cannot be counted in Valkey; `None` if they can."""
        probe = [Group([Counter(_PROBE, _NO_LIMIT[0].limit, _NO_LIMIT[0].seconds)], 1)]
        try:
            async with StallTolerantTimeout(CONNECT_SECONDS):
                await self._counters.count(probe)
            # Measure a second time, without the time to connect.
            async with StallTolerantTimeout(self._budget_seconds * RETURN_SHARE):
                await self._counters.count(probe)
        # Catch every error, because each one means that Valkey is not usable yet.
        except Exception as error:  # noqa: BLE001
            return _explain(error)
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
    """Open a limiter for the block, on the server that the setting names. The server need not be available yet.

    While it is unavailable, `fallback` admits `limit // shares` requests per window, at least one. `on_fallback` is
    called for each request that `fallback` decides.
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


def _explain(error: Exception) -> str:
    return "no response in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
