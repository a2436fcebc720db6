"""The two clients: `Client` blocks, `AsyncClient` is asynchronous. Both run the same operations."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from dossier_client import operations, transfers
from dossier_client.api import Api
from dossier_client.models import Document
from dossier_client.retries import Patience
from dossier_client.steps import Body, NoReply, Pause, Reply, Send, Step, Steps

P = ParamSpec("P")
T = TypeVar("T")

_TIMEOUT = httpx.Timeout(60, connect=10, pool=None)
"""Seconds without progress. A request waits as long as necessary for a free connection of its own client."""

_BROKEN = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError)
"""What may pass. The other errors of a transport are mistakes in a request, such as an unknown scheme."""

_HEADERS = {"User-Agent": "dossier-client"}


def _blocking(
    operation: Callable[Concatenate[Api, P], Steps[T]],
) -> Callable[Concatenate["Client", P], T]:
    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(operation(self.api, *args, **kwargs))

    return method


def _asynchronous(
    operation: Callable[Concatenate[Api, P], Steps[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    @wraps(operation)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(operation(self.api, *args, **kwargs))

    return method


class Client:
    """A client of one deployment, for any number of threads. Close it, or use it in a `with` block.

    `url`: the address of the deployment, such as `https://dossier.example.org`. `transport`: replaces the network in
    tests.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        patience: Patience = Patience(),  # noqa: B008  it is immutable
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api = Api(url.rstrip("/"), api_key, patience)
        self._sleep = sleep
        self._http = httpx.Client(
            headers=_HEADERS, timeout=_TIMEOUT, limits=httpx.Limits(max_connections=None), transport=transport
        )

    upload = _blocking(transfers.upload)
    download = _blocking(transfers.download)
    request_upload_url = _blocking(operations.request_upload_url)
    create = _blocking(operations.create)
    get = _blocking(operations.get)
    find = _blocking(operations.find)
    update = _blocking(operations.update)
    delete = _blocking(operations.delete)
    link = _blocking(operations.link)
    unlink = _blocking(operations.unlink)
    linked_documents = _blocking(operations.linked_documents)
    folders = _blocking(operations.folders)
    move_folder = _blocking(operations.move_folder)
    delete_folder = _blocking(operations.delete_folder)
    tags = _blocking(operations.tags)
    usage = _blocking(operations.usage)
    api_keys = _blocking(operations.api_keys)
    create_api_key = _blocking(operations.create_api_key)
    revoke_api_key = _blocking(operations.revoke_api_key)

    def walk(self, **filters: Any) -> Iterator[Document]:
        """Yield each document that passes the filters of `find` once, newest first."""
        cursor = None
        while True:
            page = self.find(**filters, cursor=cursor)
            yield from page.documents
            if (cursor := page.next_cursor) is None:
                return

    def run(self, steps: Steps[T]) -> T:
        """Perform the steps of an operation, and return its value."""
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step)
                except _BROKEN as error:
                    step = steps.throw(NoReply(_reason(error)))
                else:
                    step = steps.send(result)
        except StopIteration as done:
            value: T = done.value
            return value
        finally:
            steps.close()

    def _perform(self, step: Step) -> Reply | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
        elif isinstance(step, Send):
            return self._send(step)
        else:
            step.function()
        return None

    def _send(self, send: Send) -> Reply:
        content = send.body if isinstance(send.body, bytes) or send.body is None else send.body.pieces()
        with self._http.stream(send.method, send.url, headers=_headers(send), content=content) as response:
            reply = Reply(response.status_code, _lower(response), b"")
            if send.sink is None or not response.is_success:
                return Reply(reply.status, reply.headers, response.read())
            send.sink.begin(reply)
            for piece in response.iter_raw():
                send.sink.write(piece)
            return reply

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """The asynchronous client of one deployment. Close it, or use it in an `async with` block.

    It reads and writes files in threads. `url` and `transport` are those of `Client`.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        patience: Patience = Patience(),  # noqa: B008  it is immutable
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.api = Api(url.rstrip("/"), api_key, patience)
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            headers=_HEADERS, timeout=_TIMEOUT, limits=httpx.Limits(max_connections=None), transport=transport
        )

    upload = _asynchronous(transfers.upload)
    download = _asynchronous(transfers.download)
    request_upload_url = _asynchronous(operations.request_upload_url)
    create = _asynchronous(operations.create)
    get = _asynchronous(operations.get)
    find = _asynchronous(operations.find)
    update = _asynchronous(operations.update)
    delete = _asynchronous(operations.delete)
    link = _asynchronous(operations.link)
    unlink = _asynchronous(operations.unlink)
    linked_documents = _asynchronous(operations.linked_documents)
    folders = _asynchronous(operations.folders)
    move_folder = _asynchronous(operations.move_folder)
    delete_folder = _asynchronous(operations.delete_folder)
    tags = _asynchronous(operations.tags)
    usage = _asynchronous(operations.usage)
    api_keys = _asynchronous(operations.api_keys)
    create_api_key = _asynchronous(operations.create_api_key)
    revoke_api_key = _asynchronous(operations.revoke_api_key)

    async def walk(self, **filters: Any) -> AsyncIterator[Document]:
        """Yield each document that passes the filters of `find` once, newest first."""
        cursor = None
        while True:
            page = await self.find(**filters, cursor=cursor)
            for document in page.documents:
                yield document
            if (cursor := page.next_cursor) is None:
                return

    async def run(self, steps: Steps[T]) -> T:
        """Perform the steps of an operation, and return its value."""
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._perform(step)
                except _BROKEN as error:
                    step = steps.throw(NoReply(_reason(error)))
                else:
                    step = steps.send(result)
        except StopIteration as done:
            value: T = done.value
            return value
        finally:
            steps.close()

    async def _perform(self, step: Step) -> Reply | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
        elif isinstance(step, Send):
            return await self._send(step)
        else:
            await asyncio.to_thread(step.function)
        return None

    async def _send(self, send: Send) -> Reply:
        content = send.body if isinstance(send.body, bytes) or send.body is None else _in_threads(send.body)
        async with self._http.stream(send.method, send.url, headers=_headers(send), content=content) as response:
            reply = Reply(response.status_code, _lower(response), b"")
            if send.sink is None or not response.is_success:
                return Reply(reply.status, reply.headers, await response.aread())
            await asyncio.to_thread(send.sink.begin, reply)
            async for piece in response.aiter_raw():
                await asyncio.to_thread(send.sink.write, piece)
            return reply

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _in_threads(body: Body) -> AsyncIterator[bytes]:
    pieces = body.pieces()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def _headers(send: Send) -> Mapping[str, str]:
    if send.body is None or isinstance(send.body, bytes):
        return send.headers
    # Without a Content-Length, httpx would send an iterator in chunks, which signed URLs do not take.
    others = {name: value for name, value in send.headers.items() if name.lower() != "content-length"}
    return {**others, "Content-Length": str(send.body.length)}


def _lower(response: httpx.Response) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
