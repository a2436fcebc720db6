"""Around the whole application, the router's own 404 and 405 included: request ids, admission, rate-limit headers.

Plain ASGI, because a framework's middleware does not run where no route matches.
"""

import asyncio
import logging
import math
import re
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.answer import Answer, header_values
from adapters.http.call import Call, Calls, keep_call
from adapters.http.errors import RequestTimeout, answer, unavailable
from domain.errors import InvalidKey, RateLimited
from domain.use_cases.admit_request import AdmitRequest
from ports.metrics import Metrics
from ports.system import Clock, NewId

log = logging.getLogger("dossier.http")

# These take no key and count nothing: what lies behind them is public, or signed.
_OPEN = ("/health/", "/docs/", "/storage/")
_OPEN_PAGES = ("/metrics", "/openapi.json", "/docs")
# Nor one that holds an API key: ids go into logs.
_REQUEST_ID = re.compile(rb"(?!.*wbk_)[A-Za-z0-9._-]{1,128}")
_BEARER = re.compile(rb"bearer +(\S+) *", re.IGNORECASE)


class Gate:
    """Name every request, admit whoever presents a key, and say so on every response.

    Admission comes before routing: so a call with a valid key is counted, and told its limits, on every address but the
    open ones. A wrong key is refused by the route that wanted one, so that an unknown address is 404 for everybody.
    """

    def __init__(self, app: ASGIApp, admit: AdmitRequest, metrics: Metrics, now: Clock, new_id: NewId) -> None:
        self._app = app
        self._admit = admit
        self._metrics = metrics
        self._now = now
        self._new_id = new_id
        self._calls = Calls()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        call = Call(self._request_id(scope), asyncio.current_task())
        keep_call(scope, call)
        started = False

        async def send_tagged(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                # Whatever it takes the client to read it, it is answered.
                call.due = math.inf
                message["headers"] = [*message["headers"], *_headers(call)]
                self._metrics.count_answer(scope["method"], _route(scope), message["status"])
            await send(message)

        self._calls.add(call)
        try:
            await self._admit_into(call, scope)
            await self._app(scope, receive, send_tagged)
        except asyncio.CancelledError:
            # Late, or the server stops and has waited long enough. Nobody waits for this task, so it may end here.
            if not started:
                await _cut_off(call)(scope, receive, send_tagged)
        # Safe: nothing is passed over. The client gets the error table's answer, as it does behind the router.
        except Exception as error:
            if started:
                # Half an answer is cut off by the server, and so told from a whole one.
                raise
            await answer(error, call.request_id)(scope, receive, send_tagged)
        finally:
            self._calls.remove(call)

    def _request_id(self, scope: Scope) -> str:
        sent = header_values(scope, b"x-request-id")
        if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]):
            return sent[0].decode()
        return "req_" + self._new_id(self._now())

    async def _admit_into(self, call: Call, scope: Scope) -> None:
        if scope["path"].startswith(_OPEN) or scope["path"] in _OPEN_PAGES:
            return
        call.begin()
        client = scope["client"]
        presented = _presented(scope)
        try:
            admission = await self._admit(presented, client[0] if client else "", call.request_id)
        except InvalidKey:
            if presented is not None:
                self._metrics.count_unknown_key()
            return
        except RateLimited:
            # Too many wrong keys from that address: this was one more.
            self._metrics.count_unknown_key()
            self._metrics.count_refusal()
            raise
        call.verdict = admission.verdict
        if not admission.verdict.admitted:
            self._metrics.count_refusal()
            raise RateLimited(admission.verdict.retry_after)
        call.caller = admission.caller


def _cut_off(call: Call) -> Answer:
    """The response to a request that could not be waited for any longer."""
    if call.is_late and call.is_clients_turn:
        return answer(RequestTimeout(), call.request_id)
    log.error("%s cut off: %s", call.request_id, "no answer in time" if call.is_late else "the server stops")
    return unavailable(call.request_id)


def _presented(scope: Scope) -> str | None:
    """The key a request presents. A header that holds none is as wrong as a wrong key; only its absence is no guess."""
    sent = header_values(scope, b"authorization")
    if not sent:
        return None
    match = _BEARER.fullmatch(sent[0]) if len(sent) == 1 else None
    return match[1].decode("latin-1") if match else ""


def _route(scope: Scope) -> str | None:
    """The path as the route has it, `/v1/documents/{document_id}`, once the router has found one."""
    return cast("dict[str, Any]", scope).get("path_template")


def _headers(call: Call) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", call.request_id.encode())]
    if call.verdict is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % call.verdict.limit),
            (b"x-ratelimit-remaining", b"%d" % call.verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % call.verdict.reset),
        ]
    return headers
