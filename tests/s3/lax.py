"""A server in front of ours that lets one thing pass, or changes one: each as some store out there does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from tests.ministack import S3Server

_NOT_PASSED_ON = {"transfer-encoding", "connection", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Passed:
    """A request on its way."""

    method: str
    raw_path: str
    headers: dict[str, str]
    body: bytes
    server: S3Server

    @property
    def key(self) -> str:
        """The object that it is about."""
        return unquote(self.raw_path.partition("?")[0]).lstrip("/").partition("/")[2]

    @property
    def bucket(self) -> str:
        """Its bucket."""
        return self.raw_path.lstrip("/").partition("?")[0].partition("/")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """Its parameters."""
        return parse_qs(self.raw_path.partition("?")[2])

    @property
    def signed(self) -> set[str]:
        """The headers that its URL binds; none, where it has no signature in it."""
        return set(";".join(self.query.get("X-Amz-SignedHeaders", [])).split(";")) - {""}

    @property
    def is_upload(self) -> bool:
        """Whether it is one of those that clients send."""
        return self.method == "PUT" and "Authorization" not in self.headers

    async def store(self) -> web.Response:
        """Do what it says, whatever it may."""
        await self.server.client.put_object(Bucket=self.bucket, Key=self.key, Body=self.body)
        return web.Response()


Answered = tuple[int, dict[str, str], bytes]
Forward = Callable[[Passed], Awaitable[Answered]]
Answer = web.Response | None
Rule = Callable[[Passed, Forward], Awaitable[Answer]]
"""The answer to a request, or nothing, when it is not about it: then it is passed on."""


@asynccontextmanager
async def lax_server(server: S3Server, rule: Rule) -> AsyncIterator[str]:
    """Its endpoint."""
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:

        async def forward(passed: Passed) -> Answered:
            url = URL(server.endpoint + passed.raw_path, encoded=True)
            async with session.request(
                passed.method, url, headers=passed.headers, data=passed.body, allow_redirects=False
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
                if passed.method == "HEAD":
                    kept["Content-Length"] = answer.headers.get("Content-Length", "0")
                return answer.status, kept, await answer.read()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            passed = Passed(request.method, request.raw_path, dict(request.headers), await request.read(), server)
            if (answer := await rule(passed, forward)) is not None:
                return answer
            status, headers, body = await forward(passed)
            return web.Response(status=status, headers=headers, body=body)

        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def lets_pass(is_meant: Callable[[Passed], bool]) -> Rule:
    """Uploads that are refused, and of the kind that is meant, are stored all the same."""

    async def rule(passed: Passed, forward: Forward) -> Answer:
        if not passed.is_upload or not is_meant(passed):
            return None
        status, headers, body = await forward(passed)
        return await passed.store() if status >= 400 else web.Response(status=status, headers=headers, body=body)

    return rule


def answers_with(is_meant: Callable[[Passed], bool], change: Callable[[Answered], Answered]) -> Rule:
    """Requests of the kind that is meant get another answer than they should."""

    async def rule(passed: Passed, forward: Forward) -> Answer:
        if not is_meant(passed):
            return None
        status, headers, body = change(await forward(passed))
        return web.Response(status=status, headers=headers, body=body)

    return rule


def without_header(*names: str) -> Callable[[Answered], Answered]:
    """An answer that does not have these headers."""

    def change(answered: Answered) -> Answered:
        status, headers, body = answered
        return status, {name: value for name, value in headers.items() if name.lower() not in names}, body

    return change


def with_header(name: str, value: str) -> Callable[[Answered], Answered]:
    """An answer with another header."""
    return lambda answered: (answered[0], {**answered[1], name: value}, answered[2])


def has_expired(passed: Passed) -> bool:
    """Whether its URL ended long ago."""
    signed_at = datetime.fromisoformat(passed.query.get("X-Amz-Date", ["20990101T000000Z"])[0])
    return datetime.now(UTC) - signed_at > timedelta(minutes=30)


async def copies(passed: Passed, forward: Forward) -> Answer:
    """A store with CVE-2026-54330."""
    source = passed.headers.get("x-amz-copy-source")
    if source is None or not passed.is_upload:
        return None
    bucket, _, key = source.lstrip("/").partition("/")
    await passed.server.client.copy_object(
        Bucket=passed.bucket, Key=passed.key, CopySource={"Bucket": bucket, "Key": key}
    )
    return web.Response(body=b"<CopyObjectResult/>")


async def gives_to_anybody(passed: Passed, forward: Forward) -> Answer:
    """A bucket that is public."""
    if passed.method != "GET" or passed.query or "Authorization" in passed.headers:
        return None
    found = await passed.server.client.get_object(Bucket=passed.bucket, Key=passed.key)
    async with found["Body"] as body:
        return web.Response(body=await body.read())


async def ignores_range(passed: Passed, forward: Forward) -> Answer:
    """A store that gives all of an object, or nothing."""
    if passed.method != "GET" or "Range" not in passed.headers:
        return None
    status, headers, body = await forward(
        Passed(passed.method, passed.raw_path, {**passed.headers, "Range": ""}, passed.body, passed.server)
    )
    return web.Response(status=status, headers=headers, body=body)


async def names_itself(passed: Passed, forward: Forward) -> Answer:
    """A proxy that does not pass Host on as it came."""
    status, headers, body = await forward(
        Passed(passed.method, passed.raw_path, {**passed.headers, "Host": "internal"}, passed.body, passed.server)
    )
    return web.Response(status=status, headers=headers, body=body)


async def passes_all_on(passed: Passed, forward: Forward) -> Answer:
    """A proxy as it should be."""
    return None


AN_HOUR_AHEAD = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
