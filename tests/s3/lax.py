"""A proxy in front of the test server that breaks one rule of S3, as some real store does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from tests.ministack import S3Server

AN_HOUR_AHEAD = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
_NOT_FORWARDED = {"transfer-encoding", "connection", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    raw_path: str
    headers: dict[str, str]
    body: bytes
    server: S3Server

    @property
    def bucket(self) -> str:
        return self.raw_path.lstrip("/").partition("?")[0].partition("/")[0]

    @property
    def key(self) -> str:
        return unquote(self.raw_path.partition("?")[0]).lstrip("/").partition("/")[2]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.raw_path.partition("?")[2])

    @property
    def signed(self) -> set[str]:
        """The headers that a presigned URL binds."""
        return set(";".join(self.query.get("X-Amz-SignedHeaders", [])).split(";")) - {""}

    @property
    def is_upload(self) -> bool:
        """Whether a client sent it, not the adapter's own S3 client."""
        return self.method == "PUT" and "Authorization" not in self.headers

    @property
    def is_head(self) -> bool:
        return self.method == "HEAD" and "Authorization" not in self.headers

    @property
    def is_download(self) -> bool:
        return self.method == "GET" and "response-content-type" in self.query

    @property
    def has_expired(self) -> bool:
        signed_at = datetime.fromisoformat(self.query.get("X-Amz-Date", ["20990101T000000Z"])[0])
        return datetime.now(UTC) - signed_at > timedelta(minutes=30)


Forward = Callable[[Request], Awaitable[web.Response]]
Rule = Callable[[Request, Forward], Awaitable[web.Response | None]]
"""The response to a request; `None` forwards the request unchanged."""


@asynccontextmanager
async def lax_server(server: S3Server, rule: Rule) -> AsyncIterator[str]:
    """Run the proxy for the block, and yield its endpoint."""
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:

        async def forward(request: Request) -> web.Response:
            url = URL(server.endpoint + request.raw_path, encoded=True)
            async with session.request(
                request.method, url, headers=request.headers, data=request.body, allow_redirects=False
            ) as received:
                headers = {name: text for name, text in received.headers.items() if name.lower() not in _NOT_FORWARDED}
                if request.method == "HEAD":
                    headers["Content-Length"] = received.headers.get("Content-Length", "0")
                return web.Response(status=received.status, headers=headers, body=await received.read())

        async def handle(received: web.BaseRequest) -> web.StreamResponse:
            request = Request(received.method, received.raw_path, dict(received.headers), await received.read(), server)
            return await rule(request, forward) or await forward(request)

        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def accepts(applies: Callable[[Request], bool]) -> Rule:
    """Store the matching uploads even if the server refuses them."""

    async def rule(request: Request, forward: Forward) -> web.Response | None:
        if not request.is_upload or not applies(request):
            return None
        response = await forward(request)
        if response.status < 400:
            return response
        await request.server.client.put_object(Bucket=request.bucket, Key=request.key, Body=request.body)
        return web.Response()

    return rule


def changes(applies: Callable[[Request], bool], change: Callable[[web.Response], object]) -> Rule:
    """Change the responses to the matching requests."""

    async def rule(request: Request, forward: Forward) -> web.Response | None:
        if not applies(request):
            return None
        response = await forward(request)
        change(response)
        return response

    return rule


def without_header(name: str) -> Callable[[web.Response], object]:
    return lambda response: response.headers.popall(name, None)


def with_header(name: str, value: str) -> Callable[[web.Response], object]:
    return lambda response: response.headers.update({name: value})


def either(first: Rule, second: Rule) -> Rule:
    async def rule(request: Request, forward: Forward) -> web.Response | None:
        return await first(request, forward) or await second(request, forward)

    return rule


async def copies(request: Request, forward: Forward) -> web.Response | None:
    """A store with CVE-2026-54330."""
    source = request.headers.get("x-amz-copy-source")
    if source is None or not request.is_upload:
        return None
    bucket, _, key = source.lstrip("/").partition("/")
    await request.server.client.copy_object(
        Bucket=request.bucket, Key=request.key, CopySource={"Bucket": bucket, "Key": key}
    )
    return web.Response(body=b"<CopyObjectResult/>")


async def is_public(request: Request, forward: Forward) -> web.Response | None:
    """A bucket that serves downloads without a signature."""
    if request.method != "GET" or request.query or "Authorization" in request.headers:
        return None
    found = await request.server.client.get_object(Bucket=request.bucket, Key=request.key)
    async with found["Body"] as body:
        return web.Response(body=await body.read())


def forwards(**changed: str) -> Rule:
    """Forward every request, with changed headers."""

    async def rule(request: Request, forward: Forward) -> web.Response | None:
        return await forward(replace(request, headers={**request.headers, **changed}))

    return rule
