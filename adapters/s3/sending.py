"""Sends signed requests with aiohttp, which takes a tenth of the time of a call through botocore."""

import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from adapters.s3.failures import outage
from ports.system import Unavailable

ATTEMPTS = 2
_BODY_MAX_BYTES = 64 * 1024
# These headers are suppressed. aiohttp adds them by itself, and the store does not need them.
_UNSENT_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The time limits of one attempt: until it is connected, and until its response is complete.

    `settle_seconds` is how long a first mark waits for a competing one (see `adapters.s3.mark`).
    """

    connect_seconds: float = 1
    response_seconds: float = 3
    settle_seconds: float = 1


TIMEOUTS = Timeouts()
Body = bytes | AsyncIterator[bytes] | None


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `headers` ignores the case of names; `body` has at most the first 64 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests to one store. `store` is its name in error messages."""

    session: aiohttp.ClientSession
    store: str

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], *, body: Body = None, attempts: int = 1
    ) -> Response:
        """Return the response, whatever its status; a redirect is not followed.

        A body in pieces needs a Content-Length in `headers`, and allows one attempt only. After a status of 500 or
        more, or without a response, the request is sent again, up to `attempts` times in all.

        Raises:
            Unavailable: the last attempt got no response.
        """
        # The signature covers the URL in this form, so yarl must not encode it again.
        target = URL(url, encoded=True)
        while True:
            attempts -= 1
            try:
                response = await self._send(method, target, headers, body)
                if response.status < 500 or not attempts:
                    return response
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if not attempts:
                    # Not `from error`, because aiohttp's errors contain the signed URL.
                    raise Unavailable(f"{self.store} {outage(error)}") from None

    async def _send(self, method: str, url: URL, headers: Mapping[str, str], body: Body) -> Response:
        async with self.session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            content = b"" if method == "HEAD" else await response.content.read(_BODY_MAX_BYTES)
            return Response(response.status, response.headers, content)


@asynccontextmanager
async def open_sender(store: str, timeouts: Timeouts, ca_bundle: str | None) -> AsyncIterator[Sender]:
    """Open a session for the block. `ca_bundle` is a file of certificate authorities that replaces the system's."""
    connector = aiohttp.TCPConnector(
        # The number of connections has no limit: a request that waited for a connection would only miss its deadline.
        limit=0,
        ssl=ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            # The limit is for the whole response. With a limit between bytes, a store that sends one byte a second
            # would occupy a request for ever.
            total=timeouts.response_seconds,
            connect=timeouts.connect_seconds,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_UNSENT_HEADERS,
        **_proxy(store),
    ) as session:
        yield Sender(session, store)


def _proxy(store: str) -> dict[str, Any]:
    """Return the option of the session for the proxy that the environment names for this store. botocore uses the same
    proxy."""
    # `trust_env` is not used, because aiohttp would read the environment and ~/.netrc at every request.
    parts = urlsplit(store)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.hostname or ""):
        return {}
    return {"proxy": proxy}
