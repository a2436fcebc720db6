"""The state of a request while it is in flight: its id, its caller, its rate-limit verdict and its deadline.

One check of all requests, every quarter of a second, finds those past their deadline. asyncio timers would cost more:
one takes half as much CPU as all checks of a document's members, and each request would need three.
"""

import asyncio
import math
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from litestar.types import Scope

from adapters.http.recurring import RecurringCheck
from domain.access import Caller
from domain.rate_limits import Verdict

REQUEST_SECONDS = 7.0
"""The longest time the server may work on a request. The time that the client takes to send the body does not count."""

BODY_SECONDS = 10.0
"""The longest time a client may take to send a JSON body, or to send the next piece of an upload."""

UPLOAD_BYTES_PER_SECOND = 240
"""The slowest upload, on average after its first `BODY_SECONDS`: the value of IIS and Kestrel. Without it, one byte
every nine seconds would hold a connection and an open file for ever."""

CHECK_SECONDS = 0.25

_SCOPE_KEY = "dossier.in_flight"


@dataclass(slots=True, eq=False)
class InFlightRequest:
    """The values that are known of a request so far.

    Its task is cancelled at `deadline`, a time of the monotonic clock, and `timed_out` is then true. The client caused
    the timeout if `awaits_client` is true as well.
    """

    request_id: str
    task: "asyncio.Task[Any] | None"
    caller: Caller | None = None
    verdict: Verdict | None = None
    deadline: float = math.inf
    awaits_client: bool = False
    timed_out: bool = False
    _seconds_left: float = field(default=math.inf, repr=False)
    _waiting_since: float = field(default=0.0, repr=False)
    _waited_seconds: float = field(default=0.0, repr=False)

    def start_deadline(self) -> None:
        """Give the server `REQUEST_SECONDS` from now."""
        self.deadline = monotonic() + REQUEST_SECONDS

    def await_client(self, received_bytes: int = 0) -> None:
        """Pause the time limit of the server. Give the client `BODY_SECONDS` from now, or less after a slow upload."""
        now = self._waiting_since = monotonic()
        self._seconds_left = self.deadline - now
        in_total = BODY_SECONDS + received_bytes / UPLOAD_BYTES_PER_SECOND
        self.deadline = now + min(BODY_SECONDS, in_total - self._waited_seconds)
        self.awaits_client = True

    def resume(self) -> None:
        """Let the time limit of the server run on. `await_client` paused it."""
        now = monotonic()
        self.deadline = now + self._seconds_left
        self._waited_seconds += now - self._waiting_since
        self.awaits_client = False


class DeadlineMonitor:
    """Cancels the requests of one event loop that are past their deadline."""

    def __init__(self) -> None:
        self._requests: set[InFlightRequest] = set()
        self._check = RecurringCheck(CHECK_SECONDS, self._cancel_overdue)

    def add(self, request: InFlightRequest) -> None:
        """Check the request's deadline until `remove`."""
        self._requests.add(request)
        self._check.start()

    def remove(self, request: InFlightRequest) -> None:
        """Stop checking the request's deadline."""
        self._requests.discard(request)

    def _cancel_overdue(self) -> bool:
        now = monotonic()
        for request in self._requests:
            if request.deadline <= now and request.task is not None:
                request.deadline = math.inf
                request.timed_out = True
                request.task.cancel()
        return bool(self._requests)


def in_flight_of(scope: Scope) -> InFlightRequest:
    """Return the state that the gate keeps of this request."""
    request: InFlightRequest = scope[_SCOPE_KEY]  # type: ignore[literal-required]
    return request


def keep_in_flight(scope: Scope, request: InFlightRequest) -> None:
    """Let `in_flight_of` find the state of this request."""
    scope[_SCOPE_KEY] = request  # type: ignore[literal-required]
