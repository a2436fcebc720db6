"""A proxy in front of the test server that breaks one rule of S3, as some real store does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from tests.ministack import S3Server

AN_HOUR_AHEAD = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
_UNSENT_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_NOT_FORWARDED = {"transfer-encoding", "connection", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the proxy."""

    server: S3Server
    session: ClientSession
    method: str
    raw_path: str
    headers: dict[str, str]
    body: bytes

    @property
    def object(self) -> Any:
        """The bucket and the object key, as the arguments of an S3 client."""
        bucket, _, key = unquote(urlsplit(self.raw_path).path).lstrip("/").partition("/")
        return {"Bucket": bucket, "Key": key}

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.raw_path).query)

    @property
    def signed(self) -> set[str]:
        """The headers that a presigned URL binds."""
        return set(";".join(self.query.get("X-Amz-SignedHeaders", [])).split(";")) - {""}

    @property
    def is_upload(self) -> bool:
        # The adapter's own S3 client sends Authorization; presigned requests have none.
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

    async def forward(self, **changed: str) -> web.Response:
        """Return the response of the server to this request, with some headers changed."""
        url, sent = URL(self.server.endpoint + self.raw_path, encoded=True), {**self.headers, **changed}
        async with self.session.request(
            self.method, url, headers=sent, data=self.body, allow_redirects=False
        ) as received:
            headers = {name: text for name, text in received.headers.items() if name.lower() not in _NOT_FORWARDED}
            if self.method == "HEAD":
                headers["Content-Length"] = received.headers.get("Content-Length", "0")
            return web.Response(status=received.status, headers=headers, body=await received.read())


Rule = Callable[[Request], Awaitable[web.Response | None]]
"""The response to a request; `None` forwards the request unchanged."""


@asynccontextmanager
async def lax_server(server: S3Server, rule: Rule) -> AsyncIterator[str]:
    """Run the proxy for the `with` block, and yield its endpoint."""
    # Without headers of its own: Ceph refuses a Content-Type that is not signed.
    async with ClientSession(
        cookie_jar=DummyCookieJar(), auto_decompress=False, skip_auto_headers=_UNSENT_HEADERS
    ) as session:

        async def handle(received: web.BaseRequest) -> web.StreamResponse:
            request = Request(
                server=server,
                session=session,
                method=received.method,
                raw_path=received.raw_path,
                headers=dict(received.headers),
                body=await received.read(),
            )
            return await rule(request) or await request.forward()

        runner = web.ServerRunner(web.Server(handle, auto_decompress=False))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def accepts(applies: Callable[[Request], bool]) -> Rule:
    """Break a rule: store the matching uploads even if the server refuses them."""

    async def rule(request: Request) -> web.Response | None:
        if not request.is_upload or not applies(request):
            return None
        response = await request.forward()
        if response.status < 400:
            return response
        await request.server.client.put_object(**request.object, Body=request.body)
        return web.Response()

    return rule


def changes(applies: Callable[[Request], bool], change: Callable[[web.Response], object]) -> Rule:
    """Break a rule: change the responses to the matching requests."""

    async def rule(request: Request) -> web.Response | None:
        if not applies(request):
            return None
        response = await request.forward()
        change(response)
        return response

    return rule


def change_header(response: web.Response, name: str, value: str | None) -> None:
    """Set a header, or leave it out if `value` is `None`."""
    response.headers.popall(name, None)
    if value is not None:
        response.headers[name] = value


def forwards(**changed: str) -> Rule:
    """Break a rule: read every request as if it had these headers."""
    return lambda request: request.forward(**changed)


async def copies(request: Request) -> web.Response | None:
    """Break a rule: copy objects as a store with CVE-2026-54330 does."""
    source = request.headers.get("x-amz-copy-source")
    if source is None or not request.is_upload:
        return None
    # Not `copy_object`: the policy of the tests' buckets denies copies.
    bucket, _, key = source.lstrip("/").partition("/")
    found = await request.server.client.get_object(Bucket=bucket, Key=key)
    async with found["Body"] as body:
        await request.server.client.put_object(**request.object, Body=await body.read())
    return web.Response(body=b"<CopyObjectResult/>")


async def publishes(request: Request) -> web.Response | None:
    """Break a rule: honour an `x-amz-acl` that was not signed. To keep this simple, all objects become public."""
    return await accepts(lambda upload: "x-amz-acl" in upload.headers)(request) or await is_public(request)


async def keeps_redirect(request: Request) -> web.Response | None:
    """Break a rule: keep an `x-amz-website-redirect-location` that was not signed."""
    location = request.headers.get("x-amz-website-redirect-location")
    if location is None or not request.is_upload:
        return None
    await request.server.client.put_object(**request.object, Body=request.body, WebsiteRedirectLocation=location)
    return web.Response()


async def hides_encoding(request: Request) -> web.Response | None:
    """Break a rule: ignore the signed Content-Encoding of downloads, and do not show the stored one."""
    if not request.is_head and not request.is_download:
        return None
    response = await request.forward()
    change_header(response, "Content-Encoding", "gzip" if request.is_download else None)
    return response


def refuses(applies: Callable[[Request], bool], status: int = 403) -> Rule:
    """Break a rule: refuse the matching requests."""

    async def rule(request: Request) -> web.Response | None:
        return web.Response(status=status) if applies(request) else None

    return rule


async def is_public(request: Request) -> web.Response | None:
    """Break a rule: serve downloads without a signature."""
    if request.method != "GET" or request.query or "Authorization" in request.headers:
        return None
    found = await request.server.client.get_object(**request.object)
    async with found["Body"] as body:
        return web.Response(body=await body.read())
