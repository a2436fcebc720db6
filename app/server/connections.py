"""All connections of one process: their deadlines, and how many there may be.

One check of all connections every second finds those past their deadline. A timer for each deadline would cost more CPU
than all rules of a request head.
"""

import asyncio
import logging
import math
from enum import Enum, auto
from typing import Protocol as Interface

from app.server.limits import IDLE_BEFORE_CLOSED_SECONDS, connection_limit

CHECK_SECONDS = 1

LOG_SECONDS = 60
"""How often at most the log says that the limit is reached."""

log = logging.getLogger("dossier.server")


class Connection(Interface):
    """What `Connections` needs of a connection."""

    def check(self) -> None:
        """Do what is due."""
        ...

    def close_idle(self) -> None:
        """Close this idle connection for a new one."""
        ...


class Admission(Enum):
    """What happens to a new connection: it is served, answered with a refusal, or closed without an answer."""

    SERVE = auto()
    REFUSE = auto()
    DROP = auto()


class Connections:
    """The connections of one process.

    Attributes:
        now: seconds of a clock that stops while the event loop is stalled. No client is timed out because of a stall:
            what it sent in the meantime is read first. The clock moves in steps of `CHECK_SECONDS`.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.now = 0.0
        self._limit = connection_limit() if limit is None else limit
        self._all: dict[Connection, None] = {}
        # In the order in which they became idle.
        self._idle: dict[Connection, float] = {}
        self._is_scheduled = False
        self._turned_away = 0
        self._logs_again_at = -math.inf

    def deadline(self, seconds: float) -> float:
        """Return the time of `now` that is at least this many seconds away."""
        return self.now + seconds + CHECK_SECONDS

    def add(self, connection: Connection) -> Admission:
        """Add a connection, and say what to do with it."""
        admission = self._admission()
        if admission is not Admission.DROP:
            self._all[connection] = None
            if not self._is_scheduled:
                self._is_scheduled = True
                self._schedule()
        return admission

    def _admission(self) -> Admission:
        """At the limit, make room by closing the connection that has been idle longest."""
        if len(self._all) < self._limit:
            return Admission.SERVE
        self._report()
        oldest = next(iter(self._idle), None)
        if oldest is not None and self._idle[oldest] + IDLE_BEFORE_CLOSED_SECONDS <= self.now:
            self.remove(oldest)
            oldest.close_idle()
            return Admission.SERVE
        # A refused connection stays open for a moment too, so that the refusal arrives.
        return Admission.REFUSE if len(self._all) <= self._limit + self._limit // 8 else Admission.DROP

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._all.pop(connection, None)
        self._idle.pop(connection, None)

    def set_idle(self, connection: Connection) -> None:
        """Note that the connection waits for a request, from now on."""
        self._idle[connection] = self.now

    def set_busy(self, connection: Connection) -> None:
        """Note that a request has begun to arrive."""
        self._idle.pop(connection, None)

    def advance(self, seconds: float) -> None:
        """Move the clock, and let every connection do what is due."""
        self.now += seconds
        for connection in list(self._all):
            connection.check()

    def _schedule(self) -> None:
        asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        self.advance(CHECK_SECONDS)
        self._is_scheduled = bool(self._all)
        if self._is_scheduled:
            self._schedule()

    def _report(self) -> None:
        self._turned_away += 1
        if self.now >= self._logs_again_at:
            log.error(
                "the limit of %d connections is reached; %d more were refused or replaced an idle one",
                *(self._limit, self._turned_away),
            )
            self._logs_again_at = self.now + LOG_SECONDS
            self._turned_away = 0
