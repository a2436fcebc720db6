"""All connections of one process: their deadlines, and the limit of their number.

A check every second finds the connections that are past their deadline. A timer for each deadline would cost more CPU
than the check of a request head.
"""

import logging
import math
from enum import Enum, auto
from typing import Protocol as Interface

from adapters.http.recurring import RecurringCheck
from app.server.limits import (
    IDLE_BEFORE_CLOSED_SECONDS,
    SLOW_BEFORE_CLOSED_SECONDS,
    UNSENT_BYTES,
    connection_limit,
)

CHECK_SECONDS = 1

LOG_SECONDS = 60
"""The shortest interval between two log lines that say that the limit is reached."""

log = logging.getLogger("dossier.server")


class Connection(Interface):
    """The methods of a connection that `Connections` calls."""

    def check(self) -> None:
        """Act on a deadline that has passed."""
        ...

    def close_idle(self) -> None:
        """Close this idle connection for a new one."""
        ...

    def abort(self) -> None:
        """Drop the connection and the bytes that are not sent yet."""
        ...


class Acceptance(Enum):
    """The decision about a new connection: the server serves it, answers it with an error, or closes it without a
    response."""

    SERVE = auto()
    REFUSE = auto()
    DROP = auto()


class Connections:
    """The connections of one process.

    Attributes:
        now: seconds of a clock that stops while the event loop is stalled. So no client is timed out because of a
            stall: after it, the server first reads the bytes that the client has sent. The clock moves in steps of
            `CHECK_SECONDS`.
    """

    def __init__(self, limit: int | None = None, unsent_max: int = UNSENT_BYTES) -> None:
        self.now = 0.0
        self._limit = connection_limit() if limit is None else limit
        self._all: dict[Connection, None] = {}
        # The idle connections, in the order in which they became idle.
        self._idle: dict[Connection, float] = {}
        # The connections whose clients do not read as fast as the server writes, in the order in which they began to
        # wait, with that time and the number of bytes that wait.
        self._slow: dict[Connection, tuple[float, int]] = {}
        self._unsent, self._unsent_max = 0, unsent_max
        self._check = RecurringCheck(CHECK_SECONDS, self._advance_one_step)
        self._turned_away = 0
        self._logs_again_at = -math.inf

    def deadline(self, seconds: float) -> float:
        """Return the time of `now` that is at least this many seconds away."""
        return self.now + seconds + CHECK_SECONDS

    def add(self, connection: Connection) -> Acceptance:
        """Add a connection, and return the decision about it."""
        acceptance = self._acceptance()
        if acceptance is not Acceptance.DROP:
            self._all[connection] = None
            self._check.start()
        return acceptance

    def _acceptance(self) -> Acceptance:
        """At the limit, make room by closing the connection that has been idle longest, or else the slowest reader."""
        if len(self._all) < self._limit:
            return Acceptance.SERVE
        self._report(f"the limit of {self._limit} connections is reached")
        oldest = next(iter(self._idle), None)
        if oldest is not None and self._idle[oldest] + IDLE_BEFORE_CLOSED_SECONDS <= self.now:
            self.remove(oldest)
            oldest.close_idle()
            return Acceptance.SERVE
        slowest = next(iter(self._slow), None)
        if slowest is not None and self._slow[slowest][0] + SLOW_BEFORE_CLOSED_SECONDS <= self.now:
            self.remove(slowest)
            slowest.abort()
            return Acceptance.SERVE
        # A refused connection counts too, because it stays open for a moment until the error has arrived.
        return Acceptance.REFUSE if len(self._all) <= self._limit + self._limit // 8 else Acceptance.DROP

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._all.pop(connection, None)
        self._idle.pop(connection, None)
        self.set_fast(connection)

    def set_slow(self, connection: Connection, unsent: int) -> None:
        """Record that these bytes wait for the client. If too many wait for all clients, close the slowest readers."""
        self.set_fast(connection)
        self._slow[connection] = self.now, unsent
        self._unsent += unsent
        while self._unsent > self._unsent_max:
            slowest = next(iter(self._slow))
            self._report(f"{self._unsent_max // 2**20} MiB of responses wait for clients that read too slowly")
            self.remove(slowest)
            slowest.abort()

    def set_fast(self, connection: Connection) -> None:
        """Record that the client has read what waited for it."""
        _, unsent = self._slow.pop(connection, (0.0, 0))
        self._unsent -= unsent

    def set_idle(self, connection: Connection) -> None:
        """Record that the connection waits for a request from now on."""
        self._idle[connection] = self.now

    def set_busy(self, connection: Connection) -> None:
        """Record that a request has begun to arrive."""
        self._idle.pop(connection, None)

    def advance(self, seconds: float) -> None:
        """Advance the clock, and let every connection check its deadlines."""
        self.now += seconds
        for connection in list(self._all):
            connection.check()

    def _advance_one_step(self) -> bool:
        self.advance(CHECK_SECONDS)
        return bool(self._all)

    def _report(self, reason: str) -> None:
        self._turned_away += 1
        if self.now >= self._logs_again_at:
            log.error("%s; connections that were refused or closed for that: %d", reason, self._turned_away)
            self._logs_again_at = self.now + LOG_SECONDS
            self._turned_away = 0
