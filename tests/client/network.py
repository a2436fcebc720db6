"""A network that fails on purpose, for both clients."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

Happens = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]
"""What happens to a request: `send` passes it on. It may raise instead of returning the response."""


def lost(request: httpx.Request, _send: Callable[[], httpx.Response]) -> httpx.Response:
    """Lose the request."""
    raise httpx.ConnectError("refused", request=request)


def answer_lost(request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
    """Let the server perform the request, and lose the response."""
    send()
    raise httpx.ReadError("reset", request=request)


def answered_with(status: int, **headers: str) -> Happens:
    """Answer with a status instead of the server, as a proxy or a busy server does."""

    def answer(request: httpx.Request, _send: Callable[[], httpx.Response]) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, headers=named, stream=httpx.ByteStream(b"busy"))

    return answer


def cut_after(count: int) -> Happens:
    """Break the connection after the first `count` bytes of the body."""

    def answer(request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        whole = send()
        return httpx.Response(whole.status_code, headers=whole.headers, stream=_Cut(whole.read()[:count]))

    return answer


class _Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield self._data
        raise httpx.ReadError("reset")

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        yield self._data
        raise httpx.ReadError("reset")


@dataclass
class Network(httpx.BaseTransport):
    """Passes requests on to `server`, unless a fault happens to them. A path that ends in a slash is a prefix."""

    server: httpx.BaseTransport
    faults: list[tuple[str, str, Happens]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def fails(self, method: str, path: str, *faults: Happens) -> None:
        """Let these faults happen to the next requests with this method and path, one to each."""
        self.faults += [(method, path, fault) for fault in faults]

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """Return the requests so far with this method and path."""
        return [request for request in self.requests if _is(request, method, path)]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        for position, (method, path, fault) in enumerate(self.faults):
            if _is(request, method, path):
                del self.faults[position]
                return fault(request, lambda: self.server.handle_request(request))
        return self.server.handle_request(request)


def _is(request: httpx.Request, method: str, path: str) -> bool:
    found = request.url.path
    return request.method == method and (found.startswith(path) if path.endswith("/") else found == path)


class AsyncNetwork(httpx.AsyncBaseTransport):
    """A `Network` for the asynchronous client."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=await request.aread())
        answer = await asyncio.to_thread(self._network.handle_request, whole)
        stream = answer.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            stream = httpx.ByteStream(answer.read())
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)
