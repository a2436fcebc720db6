"""Signed requests as clients send them: curl, other hosts, and hostile names and types."""

import asyncio
import hashlib
import itertools
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import S3Storage, open_s3
from domain.downloads import attachment, served_type
from domain.paths import StoragePath
from ports.storage import DownloadTerms, SignedRequest, UploadTerms
from tests.domain.samples import NASTY_NAMES
from tests.ministack import S3Bucket, S3Server, new_path
from tests.s3 import lax
from tests.s3.lax import lax_server

CONTENT = bytes(range(256)) * 4096
TYPES = (
    "text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "application/pdf", "image/png",
    "application/octet-stream", "text/plain; charset=utf-8", 'text/plain; name="a; b"', "application/x-made.up+json",
    "video/mp4", "multipart/x-mixed-replace",
)  # fmt: skip
ACTIVE = {"text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "multipart/x-mixed-replace"}


def in_15_minutes() -> datetime:
    return utc_now() + timedelta(minutes=15)


async def sign_upload(
    storage: S3Storage, path: StoragePath, content: bytes = CONTENT, mime_type: str = "application/octet-stream"
) -> SignedRequest:
    sha256 = hashlib.sha256(content).hexdigest()
    terms = UploadTerms(path=path, mime_type=mime_type, size_bytes=len(content), sha256=sha256)
    return await storage.sign_upload(terms, in_15_minutes())


async def put(http: httpx.AsyncClient, signed: SignedRequest, content: bytes = CONTENT, url: str | None = None) -> int:
    headers = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
    return (await http.put(url or signed.url, headers=headers, content=content)).status_code


async def stored_terms(storage: S3Storage, path: StoragePath) -> DownloadTerms:
    stored = await storage.stat(path)
    assert stored is not None
    return DownloadTerms(path=path, stored=stored, mime_type="application/octet-stream", disposition="attachment")


async def sign_download(storage: S3Storage, terms: DownloadTerms) -> SignedRequest:
    signed = await storage.sign_download(terms, in_15_minutes())
    assert signed is not None
    return signed


async def curl(*arguments: str | Path) -> bytes:
    command = ("curl", "-sS", "-g", "--fail", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.parametrize("name", ["a.bin", "it's (a) file+1, 100$@home=;:&!.pdf", "x" * 255])
async def test_curl_uploads_with_exactly_the_signed_headers_and_downloads_whole_and_in_parts(
    name: str, s3_plain: S3Bucket, tmp_path: Path
) -> None:
    path, file = new_path(name), tmp_path / "file"
    file.write_bytes(CONTENT)
    signed = await sign_upload(s3_plain.storage, path)
    headers = [part for name, value in signed.headers.items() for part in ("-H", f"{name}: {value}")]
    await curl("-X", signed.method, "-T", file, *headers, signed.url)
    terms = await stored_terms(s3_plain.storage, path)
    assert terms.stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    found = await sign_download(s3_plain.storage, terms)
    assert found.headers == {}
    assert await curl(found.url) == CONTENT
    assert await curl("-r", "1000-1999", found.url) == CONTENT[1000:2000]


@pytest.mark.parametrize(
    "mime_type", ["text/plain;charset=utf-8", "text/plain ;\tcharset=utf-8", 'a/b; c="d  e"', 'a/b; c="\\"\'"', *TYPES]
)
async def test_any_media_type_can_be_bound(mime_type: str, s3_plain: S3Bucket, http: httpx.AsyncClient) -> None:
    signed = await sign_upload(s3_plain.storage, new_path(), b"x", mime_type)
    assert await put(http, signed, b"x") == 200


async def test_the_headers_of_a_signed_upload_are_exactly_those_that_its_signature_binds(s3_plain: S3Bucket) -> None:
    for size_bytes, sha256 in itertools.product((None, 0, 7), (None, "ab" * 32)):
        terms = UploadTerms(path=new_path(), mime_type="a/b", size_bytes=size_bytes, sha256=sha256)
        signed = await s3_plain.storage.sign_upload(terms, in_15_minutes())
        (names,) = re.findall("X-Amz-SignedHeaders=([^&]*)", signed.url)
        assert set(names.split("%3B")) == {"host", *(name.lower() for name in signed.headers)}
        expected = {"Content-Type", "If-None-Match"}
        expected |= set() if size_bytes is None else {"Content-Length"}
        expected |= set() if sha256 is None else {"x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm"}
        assert signed.headers.keys() == expected
        assert 899 <= int(re.findall("X-Amz-Expires=([0-9]*)", signed.url)[0]) <= 900


async def test_no_name_or_type_can_add_a_header_to_a_download_or_make_a_browser_run_it(
    s3_versioned: S3Bucket, http: httpx.AsyncClient
) -> None:
    storage, path = s3_versioned.storage, new_path()
    assert await put(http, await sign_upload(storage, path)) == 200
    terms = await stored_terms(storage, path)
    plain = await http.get((await sign_download(storage, terms)).url, headers={"Range": "bytes=0-0"})

    async def check(name: str, mime_type: str) -> None:
        disposition = attachment(name)
        signed = await sign_download(storage, replace(terms, mime_type=served_type(mime_type), disposition=disposition))
        assert not set(signed.url) & set("\r\n \"'<>\\^`{|}")
        response = await http.get(signed.url, headers={"Range": "bytes=0-0"})
        assert (response.status_code, response.content) == (206, CONTENT[:1])
        assert response.headers.get_list("Content-Disposition") == [disposition]
        assert response.headers["Content-Type"] == ("application/octet-stream" if mime_type in ACTIVE else mime_type)
        assert response.headers.keys() == plain.headers.keys()

    names = [*NASTY_NAMES, *("\r\nSet-Cookie: a=b", 'a"; filename="b', "\u2028x", "%0d%0aX: y", "a;b,c\\d")]
    # The name and the type are separate parameters, so each is combined with one value of the other.
    pairs = [*((name, "application/pdf") for name in names), *((names[0], mime_type) for mime_type in TYPES)]
    for start in range(0, len(pairs), 16):
        await asyncio.gather(*(check(*pair) for pair in pairs[start : start + 16]))


async def test_objects_that_came_without_dossier_can_be_recorded_and_downloaded(
    s3_versioned: S3Bucket, http: httpx.AsyncClient
) -> None:
    client, name, storage = s3_versioned.server.client, s3_versioned.name, s3_versioned.storage
    whole, parts = new_path("whole.bin"), new_path("parts.bin")
    await client.put_object(Bucket=name, Key=whole, Body=CONTENT, ContentType="text/html")
    begun = await client.create_multipart_upload(Bucket=name, Key=parts, ChecksumAlgorithm="SHA256")
    upload: Any = {"Bucket": name, "Key": parts, "UploadId": begun["UploadId"]}
    sent = []
    for number, content in enumerate((b"x" * 5 * 2**20, CONTENT), 1):
        part = await client.upload_part(**upload, PartNumber=number, Body=content, ChecksumAlgorithm="SHA256")
        sent.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    complete: Any = {"Parts": sent}
    await client.complete_multipart_upload(**upload, MultipartUpload=complete)
    terms = await stored_terms(storage, parts)
    assert terms.stored.size_bytes == 5 * 2**20 + len(CONTENT)
    # The store has only a checksum over the checksums of the parts.
    assert terms.stored.sha256 is None
    for found in (terms, await stored_terms(storage, whole)):
        response = await http.get((await sign_download(storage, found)).url)
        assert response.content.endswith(CONTENT)
        assert response.headers["Content-Type"] == "application/octet-stream"


async def test_signed_urls_work_only_at_the_public_address(s3_server: S3Server, http: httpx.AsyncClient) -> None:
    async with lax_server(s3_server, lax.forwards()) as public:
        url = s3_server.url(s3_server.plain, public_endpoint=public)
        async with open_s3(s3_location(url), utc_now) as storage:
            path = new_path()
            signed = await sign_upload(storage, path)
            assert signed.url.startswith(f"{public}/{s3_server.plain}/workspaces/")
            assert await put(http, signed, url=signed.url.replace(public, s3_server.endpoint)) == 403
            assert await put(http, signed) == 200
            found = await sign_download(storage, await stored_terms(storage, path))
            assert found.url.startswith(public)
            assert (await http.get(found.url)).content == CONTENT


async def test_a_bucket_can_be_reached_by_a_virtual_host(
    s3_server: S3Server, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    if s3_server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT is set: whether its server supports virtual hosts is not known")
    resolve = socket.getaddrinfo

    def resolve_locally(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return resolve("127.0.0.1" if name.endswith(".s3.localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_locally)
    endpoint = f"http://s3.localhost:{urlsplit(s3_server.endpoint).port}"
    url = f"s3://{s3_server.plain}?endpoint={quote(endpoint)}&addressing=virtual"
    async with open_s3(s3_location(url), utc_now) as storage:
        path = new_path()
        signed = await sign_upload(storage, path)
        assert signed.url.startswith(f"http://{s3_server.plain}.s3.localhost:")
        assert urlsplit(signed.url).path == "/" + quote(path)
        assert await put(http, signed) == 200
        assert await storage.stat(path) is not None
        assert [page[0].key async for page in storage.list(path.rpartition("/")[0] + "/")] == [path]
        await storage.delete([path])
        assert await storage.stat(path) is None
        assert {result.grade for result in await storage.run_checks()} <= {"ok", "degraded"}
