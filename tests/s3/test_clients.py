"""Signed requests as clients send them: curl, other hosts, and hostile names and types."""

import asyncio
import itertools
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from domain.downloads import disposition, served_type
from tests.contracts.s3_store import S3Store
from tests.contracts.stores import CONTENT, SHA256, STORED, soon
from tests.domain.samples import NASTY_NAMES
from tests.s3 import lax
from tests.s3.lax import lax_server

TYPES = (
    "text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "application/pdf", "image/png",
    "application/octet-stream", "text/plain; charset=utf-8", 'text/plain; name="a; b"', "application/x-made.up+json",
    "video/mp4", "multipart/x-mixed-replace",
)  # fmt: skip
ACTIVE = {"text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "multipart/x-mixed-replace"}


async def curl(*arguments: str | Path) -> bytes:
    command = ("curl", "-sS", "-g", "--fail", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


@pytest.mark.parametrize("name", ["a.bin", "it's (a) file+1, 100$@home=;:&!.pdf", "x" * 255])
async def test_curl_uploads_with_exactly_the_signed_headers_and_downloads_whole_and_in_parts(
    name: str, plain: S3Store, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    upload = await plain.sign_upload(name, size_bytes=len(CONTENT), sha256=SHA256)
    headers = [part for name, value in upload.headers.items() for part in ("-H", f"{name}: {value}")]
    await curl("-X", upload.method, "-T", file, *headers, upload.url)
    download = await plain.sign_download(await plain.download_terms(name))
    assert download.headers == {}
    assert await curl(download.url) == CONTENT
    assert await curl("-r", "1000-1999", download.url) == CONTENT[1000:2000]


async def test_any_media_type_can_be_bound(plain: S3Store) -> None:
    folded = ("text/plain;charset=utf-8", "text/plain ;\tcharset=utf-8", 'a/b; c="d  e"', 'a/b; c="\\"\'"')
    for number, mime_type in enumerate((*folded, *TYPES)):
        signed = await plain.storage.sign_upload(replace(plain.terms(f"{number}"), mime_type=mime_type), soon())
        assert await plain.put(signed, b"x") == STORED, mime_type


async def test_the_headers_of_a_signed_upload_are_exactly_those_that_its_signature_binds(plain: S3Store) -> None:
    for size_bytes, sha256 in itertools.product((None, 0, 7), (None, "ab" * 32)):
        signed = await plain.sign_upload(size_bytes=size_bytes, sha256=sha256)
        (names,) = re.findall("X-Amz-SignedHeaders=([^&]*)", signed.url)
        assert set(names.split("%3B")) == {"host", *(name.lower() for name in signed.headers)}
        expected = {"Content-Type", "If-None-Match"}
        expected |= set() if size_bytes is None else {"Content-Length"}
        expected |= set() if sha256 is None else {"x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm"}
        assert signed.headers.keys() == expected
        assert 899 <= int(re.findall("X-Amz-Expires=([0-9]*)", signed.url)[0]) <= 900


async def test_no_name_or_type_can_add_a_header_to_a_download_or_make_a_browser_run_it(versioned: S3Store) -> None:
    await versioned.upload()
    terms = await versioned.download_terms()
    usual = await versioned.get(await versioned.sign_download(terms), range="bytes=0-0")

    async def check(name: str, mime_type: str) -> None:
        named = replace(terms, mime_type=served_type(mime_type), disposition=disposition(name))
        signed = await versioned.sign_download(named)
        assert not set(signed.url) & set("\r\n \"'<>\\^`{|}")
        response = await versioned.get(signed, range="bytes=0-0")
        assert (response.status_code, response.content) == (206, CONTENT[:1])
        assert response.headers.get_list("Content-Disposition") == [named.disposition]
        assert response.headers["Content-Type"] == ("application/octet-stream" if mime_type in ACTIVE else mime_type)
        assert response.headers.keys() == usual.headers.keys()

    names = [*NASTY_NAMES, *("\r\nSet-Cookie: a=b", 'a"; filename="b', "\u2028x", "%0d%0aX: y", "a;b,c\\d")]
    # The name and the type are separate parameters, so each is combined with one value of the other.
    pairs = [*((name, "application/pdf") for name in names), *((names[0], mime_type) for mime_type in TYPES)]
    for start in range(0, len(pairs), 16):
        await asyncio.gather(*(check(*pair) for pair in pairs[start : start + 16]))


async def test_signed_urls_work_only_at_the_public_address(plain: S3Store) -> None:
    async with lax_server(plain.server, lax.forwards()) as public:
        url = plain.server.url(plain.bucket, public_endpoint=public)
        async with open_s3(s3_location(url), utc_now) as storage:
            store = replace(plain, storage=storage)
            signed = await store.sign_upload()
            assert signed.url.startswith(f"{public}/{plain.bucket}/workspaces/")
            internal = replace(signed, url=signed.url.replace(public, plain.server.endpoint))
            assert await store.put(internal, b"bytes") == 403
            assert await store.put(signed, b"bytes") == STORED
            download = await store.sign_download()
            assert download.url.startswith(public)
            assert (await store.get(download)).content == b"bytes"


async def test_a_bucket_can_be_reached_by_a_virtual_host(plain: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain.server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT is set: whether its server supports virtual hosts is not known")
    resolve = socket.getaddrinfo

    def resolve_locally(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return resolve("127.0.0.1" if name.endswith(".s3.localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_locally)
    endpoint = f"http://s3.localhost:{urlsplit(plain.server.endpoint).port}"
    url = f"s3://{plain.bucket}?endpoint={quote(endpoint)}&addressing=virtual"
    async with open_s3(s3_location(url), utc_now) as storage:
        store = replace(plain, storage=storage)
        signed = await store.sign_upload()
        assert signed.url.startswith(f"http://{plain.bucket}.s3.localhost:")
        assert urlsplit(signed.url).path == "/" + quote(store.path())
        assert await store.put(signed, CONTENT) == STORED
        assert [[one.key for one in page] async for page in storage.list(store.prefix)] == [[store.path()]]
        await storage.delete([store.path()])
        assert await storage.stat(store.path()) is None
        assert {result.grade for result in await storage.run_checks()} <= {"ok", "degraded"}
