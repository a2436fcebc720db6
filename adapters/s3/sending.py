"""Signed requests on a bare HTTP session: a tenth of the time that a call through botocore takes."""

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

TRIES = 2
_BODY_MAX_BYTES = 64 * 1024
# What would be sent besides the headers that we name, and means nothing here.
_UNSENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one try may take: until there is a connection, and until there is an answer."""

    connect_seconds: float = 1
    answer_seconds: float = 3


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` by name in any case; of a long `body`, the beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests to one store, which `store` names in what is told of its failures."""

    session: aiohttp.ClientSession
    store: str

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], *, body: bytes | None = None, tries: int = 1
    ) -> Answer:
        """The answer, whatever it says; a redirect is one.

        Raises:
            Unavailable: no answer came, each of the `tries` times. One that tells of a failure is tried again, too.
        """
        # A signature covers the URL as it was signed: it must not be encoded in another way.
        target = URL(url, encoded=True)
        while True:
            tries -= 1
            try:
                answer = await self._send(method, target, headers, body)
                if answer.status < 500 or not tries:
                    return answer
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if not tries:
                    # Not `from`: aiohttp's errors hold the URL, which is signed.
                    raise Unavailable(f"{self.store} {outage(error)}") from None

    async def _send(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        async with self.session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            content = b"" if method == "HEAD" else await response.content.read(_BODY_MAX_BYTES)
            return Answer(response.status, response.headers, content)


@asynccontextmanager
async def open_sender(store: str, patience: Patience, ca_bundle: str | None) -> AsyncIterator[Sender]:
    """A session for as long as the block lasts. `ca_bundle` is a file of authorities to trust, not the system's."""
    connector = aiohttp.TCPConnector(
        # Requests are bounded where they come in. One that waited here for others would only be late.
        limit=0,
        ssl=ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            # Over all, not between bytes: or a store that answers a byte a second would hold a request for ever.
            total=patience.answer_seconds,
            connect=patience.connect_seconds,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_UNSENT,
        **_proxy(store),
    ) as session:
        yield Sender(session, store)


def _proxy(store: str) -> dict[str, Any]:
    """The proxy that the environment names for such addresses, as botocore uses it too."""
    # Asked once: with `trust_env`, aiohttp reads the environment, and ~/.netrc, at every request.
    parts = urlsplit(store)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.hostname or ""):
        return {}
    return {"proxy": proxy}
