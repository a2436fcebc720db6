"""The gate around the whole application. It adds request ids, authenticates callers, applies rate limits and deadlines,
and adds headers to every response.

It is plain ASGI, because Litestar runs no middleware on a 404 or 405 of its router, and those responses need the same
headers.
"""

import asyncio
import logging
import math
import re
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.addresses import sent_path
from adapters.http.answer import Answer, header_values
from adapters.http.cors import NO_PAGES, Cors
from adapters.http.errors import RequestTimeout, answer, unavailable
from adapters.http.in_flight import DeadlineMonitor, InFlightRequest, keep_in_flight
from adapters.http.isolation import isolation_headers
from adapters.http.refused_api_keys import RefusedApiKeysLog
from adapters.http.slices import FairSlices
from domain.access import client_network
from domain.errors import InvalidKey, RateLimited
from domain.use_cases.admit_request import AdmitRequest, refusal_of
from ports.metrics import Metrics
from ports.system import Clock, NewId

log = logging.getLogger("dossier.http")

REFUSED = "dossier.refused"
"""The key of the scope under which the server puts the refusal of a request that is not valid HTTP. The gate sends the
error, so that it has a request id and the JSON form of all errors, and is counted in the metrics."""

# These paths need no API key and count against no rate limit: their content is public, or the URL itself is signed.
_OPEN_PREFIXES = (b"/health/", b"/docs/", b"/storage/")
_OPEN_PATHS = (b"/", b"/metrics", b"/openapi.json", b"/docs")
# A request id that contains an API key is not used, because request ids are logged.
_REQUEST_ID = re.compile(rb"(?!.*wbk_)[A-Za-z0-9._-]{1,128}")
_BEARER = re.compile(rb"bearer +(\S+) *", re.IGNORECASE)


class Gate:
    """Gives every request an id, finds the caller, counts the request against the rate limit, and adds the headers of
    the id and the limit to every response.

    Requests to open paths (without an API key) have no deadline and no rate limit. An upload has a deadline for each
    piece of its body.

    The API key is checked before routing. So a request with a valid API key is counted and gets the rate-limit headers,
    whatever its path is, unless the path is open. An invalid API key is refused after routing, by the operation
    (`operation.py`), so an unknown path is 404 with any API key.
    """

    def __init__(
        self, app: ASGIApp, admit: AdmitRequest, metrics: Metrics, now: Clock, new_id: NewId, cors: Cors = NO_PAGES
    ) -> None:
        self._app = app
        self._admit = admit
        self._metrics = metrics
        self._now = now
        self._new_id = new_id
        self._cors = cors
        self._deadlines = DeadlineMonitor()
        self._slices = FairSlices()
        self._refused_api_keys = RefusedApiKeysLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request = InFlightRequest(self._request_id(scope), asyncio.current_task())
        keep_in_flight(scope, request)
        response_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal response_started
            if message["type"] == "http.response.start":
                response_started = True
                # The deadline ends here, because the client may take any time to read the response.
                request.deadline = math.inf
                sent = [*message["headers"]]
                message["headers"] = [*sent, *isolation_headers(sent), *_headers(request), *self._cors.headers(scope)]
                self._metrics.count_response(scope["method"], _route(scope), message["status"])
            elif scope["method"] == "HEAD" and message["type"] == "http.response.body":
                # The headers are those of GET, Content-Length included (RFC 9110 9.3.2).
                message["body"] = b""
            await send(message)

        self._deadlines.add(request)
        try:
            if (refusal := cast("dict[str, Any]", scope).get(REFUSED)) is not None:
                raise refusal
            refusal = await self._admit_into(request, scope)
            app = self._app if refusal is None else answer(refusal, request.request_id)
            if request.caller is None:
                await app(scope, receive, send_with_headers)
            else:
                await self._slices.run(request.caller.workspace_id, app(scope, receive, send_with_headers))
        except asyncio.CancelledError:
            # The deadline has passed, or the server shuts down. No other task awaits this one, so it may end here.
            if not response_started:
                await _cancelled(request)(scope, receive, send_with_headers)
        # Catching every error is safe here: the error table logs the error and makes the response, as for errors behind
        # the router.
        except Exception as error:
            if response_started:
                # The server closes the connection, so the client can tell that the response is incomplete.
                raise
            await answer(error, request.request_id)(scope, receive, send_with_headers)
        finally:
            self._deadlines.remove(request)

    def _request_id(self, scope: Scope) -> str:
        sent = header_values(scope, b"x-request-id")
        if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]):
            return sent[0].decode()
        return "req_" + self._new_id(self._now())

    async def _admit_into(self, request: InFlightRequest, scope: Scope) -> RateLimited | None:
        """Find the caller, and return the refusal if its workspace has used up its rate limit."""
        path = sent_path(scope)
        if path.startswith(_OPEN_PREFIXES) or path in _OPEN_PATHS:
            return None
        request.start_deadline()
        client = scope["client"]
        address = client[0] if client else ""
        api_key = _presented_api_key(scope)
        try:
            admission = await self._admit(api_key, address, request.request_id)
        except InvalidKey:
            if api_key is not None:
                self._count_unknown_key(address)
            return None
        except RateLimited:
            # The client address has sent too many wrong API keys, and this API key is wrong too.
            self._count_unknown_key(address)
            self._metrics.count_refusal()
            raise
        request.verdict = admission.verdict
        request.caller = admission.caller
        if (refusal := refusal_of(admission.verdict)) is not None:
            self._metrics.count_refusal()
        return refusal

    def _count_unknown_key(self, address: str) -> None:
        self._metrics.count_unknown_key()
        self._refused_api_keys.note(client_network(address), self._now())


def _cancelled(request: InFlightRequest) -> Answer:
    """Return the response to a request whose task was cancelled."""
    if request.timed_out and request.awaits_client:
        return answer(RequestTimeout(), request.request_id)
    reason = "the deadline has passed" if request.timed_out else "the server is shutting down"
    log.error("%s cancelled: %s", request.request_id, reason)
    return unavailable(request.request_id)


def _presented_api_key(scope: Scope) -> str | None:
    """Return the API key of the request; `None` without an Authorization header.

    For a malformed header, return an empty API key, which counts as a wrong one. Only a missing header does not count
    as a guess.
    """
    sent = header_values(scope, b"authorization")
    if not sent:
        return None
    match = _BEARER.fullmatch(sent[0]) if len(sent) == 1 else None
    return match[1].decode("latin-1") if match else ""


def _route(scope: Scope) -> str | None:
    """Return the path template, such as `/v1/documents/{document_id}`, or `None` if the router matched no route."""
    return cast("dict[str, Any]", scope).get("path_template")


def _headers(request: InFlightRequest) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", request.request_id.encode())]
    if request.verdict is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % request.verdict.limit),
            (b"x-ratelimit-remaining", b"%d" % request.verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % request.verdict.reset),
        ]
    return headers
