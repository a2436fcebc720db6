"""A stub of an S3 server, so that the benchmark measures Dossier: `python -m bench.storage.stub PORT`.

Below `workspaces/`, every object key of every bucket has the same object, and the stub verifies no signature. That
takes a few microseconds; a Python server that verifies would take the time of ten creates. Below `.dossier/`, where
Dossier tests a store before it starts, the stub behaves correctly: signed URLs work only unchanged and until they
expire, and `If-None-Match: *` never replaces an object. The rest of S3 is missing.
"""

import asyncio
import hashlib
import hmac
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl, unquote

import uvloop

from adapters.s3.sigv4 import Credentials, presign
from bench.facts import FILE_BYTES

BUCKET = "bench"
REGION = "us-east-1"
ACCESS_KEY = "bench"
SECRET_KEY = "bench-has-no-secrets"  # noqa: S105  of a stub
_CREDENTIALS = Credentials(ACCESS_KEY, SECRET_KEY)

_ANY_OBJECT = f"HEAD /{BUCKET}/workspaces/".encode()
_IS_THERE = (
    f"HTTP/1.1 200 OK\r\nContent-Length: {FILE_BYTES}\r\nContent-Type: application/pdf\r\n"
    'ETag: "2d711642b726b04401627ca9fbac32f5"\r\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n'
    "x-amz-checksum-sha256: ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=\r\nx-amz-checksum-type: FULL_OBJECT\r\n"
    # Real S3 servers send these headers too, and a client has to parse them.
    "x-amz-request-id: 0123456789ABCDEF\r\nAccept-Ranges: bytes\r\nServer: stub\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n"
).encode()
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
_END = b"\r\n\r\n"

objects: dict[str, bytes] = {}
"""The objects below `.dossier/`, by object key."""


class S3(asyncio.Protocol):
    """A connection that answers each request at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""
        self._has_sent_continue = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_END)) >= 0:
            if self._received.startswith(_ANY_OBJECT):
                self._received = self._received[end + len(_END) :]
                self._transport.write(_IS_THERE)
            elif not self._answer(end):
                return

    def _answer(self, end: int) -> bool:
        """Answer the request if it has arrived completely; return whether it had."""
        line, *lines = self._received[:end].decode().split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        stop = end + len(_END) + int(headers.get("content-length", "0"))
        if len(self._received) < stop:
            if headers.get("expect") == "100-continue" and not self._has_sent_continue:
                self._has_sent_continue = True
                self._transport.write(_GO_ON)
            return False
        body, self._received, self._has_sent_continue = (
            self._received[end + len(_END) : stop],
            self._received[stop:],
            False,
        )
        self._transport.write(b"".join(_rendered(method, *_done(method, target, headers, body))))
        return True


def _done(method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[HTTPStatus, bytes]:
    path, _, text = target.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    key = unquote(path).removeprefix(f"/{BUCKET}").removeprefix("/")
    if "authorization" not in headers and not _is_signed(method, target, query, headers):
        return HTTPStatus.FORBIDDEN, _error("SignatureDoesNotMatch")
    match method:
        case "GET" if not key:
            return HTTPStatus.OK, _versions(query.get("prefix", ""))
        case "GET" | "HEAD" if key in objects:
            return HTTPStatus.OK, objects[key]
        case "GET" | "HEAD":
            return HTTPStatus.NOT_FOUND, _error("NoSuchKey")
        case "PUT" if key in objects and headers.get("if-none-match") == "*":
            return HTTPStatus.PRECONDITION_FAILED, _error("PreconditionFailed")
        case "PUT":
            objects[key] = body
            return HTTPStatus.OK, b""
        case "DELETE":
            objects.pop(key, None)
            return HTTPStatus.NO_CONTENT, b""
    return HTTPStatus.NOT_IMPLEMENTED, _error("NotImplemented")


def _is_signed(method: str, target: str, query: dict[str, str], headers: Mapping[str, str]) -> bool:
    """Return whether Dossier's own signing code produces the same URL, and the URL has not expired."""
    try:
        at = datetime.strptime(query.pop("X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds = int(query.pop("X-Amz-Expires"))
        names = query.pop("X-Amz-SignedHeaders").split(";")
        bound = {name: headers[name] for name in names if name != "host"}
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"):
            del query[name]
        right = presign(
            method,
            headers["host"],
            unquote(target.partition("?")[0]),
            query=query,
            headers=bound,
            at=at,
            lifetime_seconds=seconds,
            credentials=_CREDENTIALS,
            region=REGION,
        )
    except (KeyError, ValueError):
        return False
    return hmac.compare_digest(right, target) and datetime.now(UTC) < at + timedelta(seconds=seconds)


def _rendered(method: str, status: HTTPStatus, body: bytes) -> Iterator[bytes]:
    yield f"HTTP/1.1 {status.value} {status.phrase}\r\nServer: stub\r\n".encode()
    yield f"Date: {format_datetime(datetime.now(UTC), usegmt=True)}\r\n".encode()
    yield f'ETag: "{hashlib.sha256(body).hexdigest()[:32]}"\r\n'.encode()
    # RFC 9110 8.6: no Content-Length with 204.
    if status is not HTTPStatus.NO_CONTENT:
        yield f"Content-Type: application/xml\r\nContent-Length: {len(body)}\r\n".encode()
    yield b"\r\n"
    if method != "HEAD":
        yield body


def _versions(prefix: str) -> bytes:
    listed = "".join(
        f"<Version><Key>{key}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>"
        for key in sorted(objects)
        if key.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{listed}</ListVersionsResult>"
    ).encode()


def _error(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(S3, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
