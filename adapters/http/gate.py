"""Around the whole application, the router's own 404 and 405 included: request ids, admission, rate-limit headers.

Plain ASGI, because a framework's middleware does not run where no route matches.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.answer import header_values
from adapters.http.errors import answer, unavailable
from domain.access import Caller
from domain.errors import InvalidKey, RateLimited
from domain.use_cases.admit_request import AdmitRequest
from ports.rate_limit import Verdict
from ports.system import Clock, NewId

REQUEST_SECONDS = 7
"""How long a request may take us, whatever the client takes to send it."""

# These take no key and count nothing: what lies behind them is public, or signed.
_OPEN = ("/health/", "/docs/", "/storage/")
_OPEN_PAGES = ("/openapi.json", "/docs")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_BEARER = re.compile(rb"bearer +(\S+) *", re.IGNORECASE)
_SCOPE_KEY = "dossier.call"


@dataclass(slots=True)
class Call:
    """What the gate learned of a request."""

    request_id: str
    seconds_left: float = REQUEST_SECONDS
    caller: Caller | None = None
    verdict: Verdict | None = None


def call_of(scope: Scope) -> Call:
    """What the gate learned of this request."""
    return cast("Call", cast("dict[str, Any]", scope)[_SCOPE_KEY])


def caller_of(scope: Scope) -> Caller:
    """Who sent this request.

    Raises:
        InvalidKey: nobody we know.
    """
    caller = call_of(scope).caller
    if caller is None:
        raise InvalidKey
    return caller


def deadline(scope: Scope) -> asyncio.Timeout:
    """Give up on a request once it has taken seven seconds of our time, admission included.

    `async with` it raises TimeoutError then: whether a write was made is not known; a retry will tell.
    """
    return asyncio.timeout(call_of(scope).seconds_left)


class Gate:
    """Name every request, admit whoever presents a key, and say so on every response.

    Admission comes before routing: so a call with a valid key is counted, and told its limits, on every address but the
    open ones. A wrong key is refused by the route that wanted one, so that an unknown address is 404 for everybody.
    """

    def __init__(self, app: ASGIApp, admit: AdmitRequest, now: Clock, new_id: NewId) -> None:
        self._app = app
        self._admit = admit
        self._now = now
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        call = Call(self._request_id(scope))
        cast("dict[str, Any]", scope)[_SCOPE_KEY] = call

        started = False

        async def send_tagged(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *_headers(call)]
            await send(message)

        try:
            await self._admit_into(call, scope)
        # Safe: nothing is passed over. The client gets the error table's answer, as it does behind the router.
        except Exception as error:  # noqa: BLE001
            await answer(error, call.request_id)(scope, receive, send_tagged)
            return
        try:
            await self._app(scope, receive, send_tagged)
        except asyncio.CancelledError:
            # The server stops and has waited long enough. Nobody waits for this task, so it may end here.
            if not started:
                await unavailable(call.request_id)(scope, receive, send_tagged)

    def _request_id(self, scope: Scope) -> str:
        sent = header_values(scope, b"x-request-id")
        if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]):
            return sent[0].decode()
        return "req_" + self._new_id(self._now())

    async def _admit_into(self, call: Call, scope: Scope) -> None:
        if scope["path"].startswith(_OPEN) or scope["path"] in _OPEN_PAGES:
            return
        client = scope["client"]
        began = time.monotonic()
        try:
            async with deadline(scope):
                admission = await self._admit(_presented(scope), client[0] if client else "", call.request_id)
        except InvalidKey:
            return
        call.seconds_left -= time.monotonic() - began
        call.verdict = admission.verdict
        if not admission.verdict.admitted:
            raise RateLimited(admission.verdict.retry_after)
        call.caller = admission.caller


def _presented(scope: Scope) -> str | None:
    """The key a request presents. A header that holds none is as wrong as a wrong key; only its absence is no guess."""
    sent = header_values(scope, b"authorization")
    if not sent:
        return None
    match = _BEARER.fullmatch(sent[0]) if len(sent) == 1 else None
    return match[1].decode("latin-1") if match else ""


def _headers(call: Call) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", call.request_id.encode())]
    if call.verdict is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % call.verdict.limit),
            (b"x-ratelimit-remaining", b"%d" % call.verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % call.verdict.reset),
        ]
    return headers
