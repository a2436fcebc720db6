"""A request on its way: its name, who sent it, what its limits are, and how long it may take.

Who is late is found by one look at all requests every quarter of a second. A timer of asyncio for each takes as long as
half the rules of a document, and a request would need three.
"""

import asyncio
import math
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast

from litestar.types import Scope

from domain.access import Caller
from domain.errors import InvalidKey
from domain.rate_limits import Verdict

REQUEST_SECONDS = 7.0
"""How long a request may take us, whatever the client takes to send it."""

BODY_SECONDS = 10.0
"""How long a client may take between two pieces of an upload, and for all of a JSON body."""

LOOK_SECONDS = 0.25

_SCOPE_KEY = "dossier.call"


@dataclass(slots=True, eq=False)
class Call:
    """What is known of a request so far.

    `due`, by a clock that never steps back, is when its task is cancelled. It then `is_late`: by the client's fault, if
    it `is_clients_turn`, else by ours.
    """

    request_id: str
    task: "asyncio.Task[Any] | None"
    caller: Caller | None = None
    verdict: Verdict | None = None
    due: float = math.inf
    is_clients_turn: bool = False
    is_late: bool = False
    _ours: float = field(default=math.inf, repr=False)

    def begin(self) -> None:
        """From now on our time counts."""
        self.due = monotonic() + REQUEST_SECONDS

    def wait_for_client(self) -> None:
        """From now on the client's time counts, and ours does not."""
        now = monotonic()
        self._ours = self.due - now
        self.due = now + BODY_SECONDS
        self.is_clients_turn = True

    def go_on(self) -> None:
        """The client has sent what it was waited for: ours goes on where it stopped."""
        self.due = monotonic() + self._ours
        self.is_clients_turn = False


class Calls:
    """All requests on their way, and the look at who is late. Of one event loop."""

    def __init__(self) -> None:
        self._calls: set[Call] = set()
        self._looks = False

    def add(self, call: Call) -> None:
        """Look after it until `remove`."""
        self._calls.add(call)
        if not self._looks:
            self._looks = True
            self._look_later()

    def remove(self, call: Call) -> None:
        """It is answered."""
        self._calls.discard(call)

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        now = monotonic()
        for call in self._calls:
            if call.due <= now and call.task is not None:
                call.due = math.inf
                call.is_late = True
                call.task.cancel()
        self._looks = bool(self._calls)
        if self._looks:
            self._look_later()


def call_of(scope: Scope) -> Call:
    """The request that this is."""
    return cast("Call", cast("dict[str, Any]", scope)[_SCOPE_KEY])


def keep_call(scope: Scope, call: Call) -> None:
    """Let `call_of` find it."""
    cast("dict[str, Any]", scope)[_SCOPE_KEY] = call


def caller_of(scope: Scope) -> Caller:
    """Who sent this request.

    Raises:
        InvalidKey: nobody we know.
    """
    caller = call_of(scope).caller
    if caller is None:
        raise InvalidKey
    return caller
