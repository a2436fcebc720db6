"""Sending a request until it is answered: which failures pass, and how long to wait (docs/api.md, "Retries")."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from dossier_client.errors import NotAnswered, error_of
from dossier_client.steps import NoReply, Pause, Reply, Send, Steps

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed. 502 and 504 come from proxies."""

_TRANSIENT_OF_S3 = (b"<Code>ConditionalRequestConflict</Code>", b"<Code>RequestTimeout</Code>")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client keeps trying.

    `failures`: the seconds that it waits in all between the tries of one request. `rate_limit`: the longest
    `Retry-After` of a 429 that it waits for. The window of a minute ends sooner than the default, that of a day usually
    later. These waits do not count as failures.
    """

    failures: float = 60.0
    rate_limit: float = 90.0
    jitter: Callable[[], float] = random.random
    """A random number from 0 to 1. Without it, all clients would send their next requests at the same moment."""


def answered(request: Callable[[], Send], patience: Patience) -> Steps[Reply]:
    """Send a request until a response arrives that another try would not change, and return that response.

    `request` is called before each try. The request must be safe to repeat: a read, or a change with an idempotency
    key.

    Raises:
        NotAnswered: no response arrived in time.
        RateLimited, Unavailable: the last response in time was still such a refusal.
    """
    waited = 0.0
    pause = _FIRST_PAUSE
    while True:
        send = request()
        seconds = pause * (0.5 + patience.jitter() / 2)
        limited = False
        failure: Exception
        try:
            reply = yield send
            assert reply is not None
        except NoReply as error:
            failure = NotAnswered(f"{send.method} {_without_query(send.url)}: no response from the server ({error})")
        else:
            retry_after = _retry_after(reply)
            # A 409 with a Retry-After is another upload through the same URL that is still under way. S3 says so by a
            # code of its own, and has another one for an upload that came too slowly.
            waits = (reply.status == 409 and retry_after) or any(code in reply.body for code in _TRANSIENT_OF_S3)
            if reply.status not in _TRANSIENT and not waits:
                return reply
            failure = error_of(reply)
            # Without a Retry-After, a 429 counts as a failure. A proxy may have sent it, for ever.
            limited = reply.status == 429 and retry_after > 0
            if retry_after:
                seconds = retry_after + patience.jitter() * (1 + retry_after / 10)
                if limited and retry_after > patience.rate_limit:
                    raise failure
        if not limited:
            waited += seconds
            pause = min(2 * pause, _LONGEST_PAUSE)
            if waited > patience.failures:
                raise failure
        yield Pause(seconds)


def _retry_after(reply: Reply) -> int:
    """Return the seconds of Retry-After, or 0 without it. Dossier sends seconds, never a date (RFC 9110, 10.2.3)."""
    value = reply.headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _without_query(url: str) -> str:
    # The query of a signed URL permits an upload or a download, so it must not reach a log.
    return url.partition("?")[0]
