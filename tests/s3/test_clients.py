"""Signed requests in the hands of those who send them: curl, a browser's rules, other hosts, any name and type."""

import asyncio
import hashlib
import itertools
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from adapters.in_process.system import Ulids, utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from domain.downloads import attachment, served_type
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from ports.storage import DownloadTerms, SignedRequest, UploadTerms
from tests.domain.samples import NASTY_NAMES
from tests.ministack import S3Bucket, S3Server
from tests.s3 import lax
from tests.s3.lax import lax_server

CONTENT = bytes(range(256)) * 4096
TYPES = (
    "text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "application/pdf", "image/png",
    "application/octet-stream", "text/plain; charset=utf-8", 'text/plain; name="a; b"', "application/x-made.up+json",
    "video/mp4", "multipart/x-mixed-replace",
)  # fmt: skip
ACTIVE = {"text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "multipart/x-mixed-replace"}
_new_id = Ulids()


def new_path(name: str = "a.bin") -> StoragePath:
    workspace = WorkspaceId("ws_" + _new_id(utc_now()))
    return StoragePath(f"{workspace_prefix(workspace)}documents/{name}")


def upload(path: StoragePath, mime_type: str = "application/octet-stream", content: bytes = CONTENT) -> UploadTerms:
    return UploadTerms(
        path=path, mime_type=mime_type, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def in_a_moment() -> Any:
    return utc_now() + timedelta(minutes=15)


async def download(bucket: S3Bucket, path: StoragePath) -> DownloadTerms:
    stored = await bucket.storage.stat(path)
    assert stored is not None
    return DownloadTerms(path=path, stored=stored, mime_type="application/octet-stream", disposition="attachment")


async def curl(*arguments: str | Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-g", "--fail", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client."""
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.parametrize("name", ["a.bin", "it's (a) file+1, 100$@home=;:&!.pdf", "x" * 255])
async def test_curl_uploads_with_exactly_the_headers_of_the_answer_and_gets_the_bytes_back(
    name: str, s3_plain: S3Bucket, tmp_path: Path
) -> None:
    path, file = new_path(name), tmp_path / "file"
    file.write_bytes(CONTENT)
    signed = await s3_plain.storage.sign_upload(upload(path), in_a_moment())
    headers = [part for name, value in signed.headers.items() for part in ("-H", f"{name}: {value}")]
    await curl("-X", signed.method, "-T", file, *headers, signed.url)
    terms = await download(s3_plain, path)
    assert terms.stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    found = await s3_plain.storage.sign_download(terms, in_a_moment())
    assert found is not None
    assert found.headers == {}
    assert await curl(found.url) == CONTENT
    assert await curl("-r", "1000-1999", found.url) == CONTENT[1000:2000]


@pytest.mark.parametrize(
    "mime_type", ["text/plain;charset=utf-8", "text/plain ;\tcharset=utf-8", 'a/b; c="d  e"', 'a/b; c="\\"\'"', *TYPES]
)
async def test_any_type_can_be_bound(mime_type: str, s3_plain: S3Bucket, http: httpx.AsyncClient) -> None:
    path = new_path()
    signed = await s3_plain.storage.sign_upload(upload(path, mime_type, b"x"), in_a_moment())
    assert (await http.put(signed.url, headers=dict(signed.headers), content=b"x")).status_code == 200
    assert (await download(s3_plain, path)).stored.size_bytes == 1


async def test_the_answer_to_an_upload_names_each_header_that_is_bound_and_no_other(s3_plain: S3Bucket) -> None:
    for terms in (
        upload(new_path()),
        replace(upload(new_path()), size_bytes=None),
        replace(upload(new_path()), sha256=None),
        replace(upload(new_path()), size_bytes=0, sha256=None),
    ):
        signed = await s3_plain.storage.sign_upload(terms, in_a_moment())
        (names,) = re.findall("X-Amz-SignedHeaders=([^&]*)", signed.url)
        assert set(names.split("%3B")) == {"host", *(name.lower() for name in signed.headers)}
        assert {"Content-Type", "If-None-Match"} <= signed.headers.keys()
        assert ("Content-Length" in signed.headers) == (terms.size_bytes is not None)
        assert ("x-amz-checksum-sha256" in signed.headers) == (terms.sha256 is not None)
        lifetime = int(re.findall("X-Amz-Expires=([0-9]*)", signed.url)[0])
        assert 899 <= lifetime <= 900


async def test_a_url_that_is_to_have_ended_is_signed_for_a_time_that_has(s3_plain: S3Bucket) -> None:
    past = (utc_now() - timedelta(minutes=3)).replace(microsecond=0)
    signed = await s3_plain.storage.sign_upload(upload(new_path()), past)
    assert f"X-Amz-Date={past - timedelta(seconds=1):%Y%m%dT%H%M%SZ}&X-Amz-Expires=1&" in signed.url


async def test_no_name_and_no_type_can_split_a_header_or_run(s3_versioned: S3Bucket, http: httpx.AsyncClient) -> None:
    path = new_path()
    signed = await s3_versioned.storage.sign_upload(upload(path), in_a_moment())
    assert (await http.put(signed.url, headers=dict(signed.headers), content=CONTENT)).status_code == 200
    terms = await download(s3_versioned, path)
    plain = await http.get((await sign(s3_versioned, terms)).url, headers={"Range": "bytes=0-0"})

    async def check(name: str, mime_type: str) -> None:
        disposition = attachment(name)
        found = await sign(s3_versioned, replace(terms, mime_type=served_type(mime_type), disposition=disposition))
        assert not set(found.url) & set("\r\n \"'<>\\^`{|}")
        answer = await http.get(found.url, headers={"Range": "bytes=0-0"})
        assert (answer.status_code, answer.content) == (206, CONTENT[:1])
        assert answer.headers.get_list("Content-Disposition") == [disposition]
        assert answer.headers["Content-Type"] == ("application/octet-stream" if mime_type in ACTIVE else mime_type)
        # No header more than any download has.
        assert answer.headers.keys() == plain.headers.keys()

    names = [*NASTY_NAMES, *("\r\nSet-Cookie: a=b", 'a"; filename="b', "\u2028x", "%0d%0aX: y", "a;b,c\\d")]
    assert len(names) * len(TYPES) > 400
    pairs = list(itertools.product(names, TYPES))
    for start in range(0, len(pairs), 16):
        await asyncio.gather(*(check(*pair) for pair in pairs[start : start + 16]))


async def sign(bucket: S3Bucket, terms: DownloadTerms) -> SignedRequest:
    found = await bucket.storage.sign_download(terms, in_a_moment())
    assert found is not None
    return found


async def test_what_others_have_put_into_the_bucket_can_be_recorded_and_downloaded(
    s3_versioned: S3Bucket, http: httpx.AsyncClient
) -> None:
    client, name = s3_versioned.server.client, s3_versioned.name
    whole, parts = new_path("whole.bin"), new_path("parts.bin")
    await client.put_object(Bucket=name, Key=whole, Body=CONTENT, ContentType="text/html")
    begun = await client.create_multipart_upload(Bucket=name, Key=parts, ChecksumAlgorithm="SHA256")
    sent = []
    for number, content in enumerate((b"x" * 5 * 2**20, CONTENT), 1):
        made = await client.upload_part(
            Bucket=name,
            Key=parts,
            UploadId=begun["UploadId"],
            PartNumber=number,
            Body=content,
            ChecksumAlgorithm="SHA256",
        )
        sent.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": made["ChecksumSHA256"]})
    complete: Any = {"Parts": sent}
    await client.complete_multipart_upload(Bucket=name, Key=parts, UploadId=begun["UploadId"], MultipartUpload=complete)
    terms = await download(s3_versioned, parts)
    assert terms.stored.size_bytes == 5 * 2**20 + len(CONTENT)
    # What the store has is the checksum of the parts' checksums.
    assert terms.stored.sha256 is None
    for found in (terms, await download(s3_versioned, whole)):
        answer = await http.get((await sign(s3_versioned, found)).url)
        assert answer.content.endswith(CONTENT)
        assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_clients_reach_the_store_at_its_public_address(s3_server: S3Server, http: httpx.AsyncClient) -> None:
    async with lax_server(s3_server, lax.passes_all_on) as public:
        url = s3_server.url(s3_server.plain, public_endpoint=public)
        async with open_s3(s3_location(url), utc_now) as storage:
            path = new_path()
            signed = await storage.sign_upload(upload(path), in_a_moment())
            assert signed.url.startswith(f"{public}/{s3_server.plain}/workspaces/")
            headers = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
            ours = signed.url.replace(public, s3_server.endpoint)
            assert (await http.put(ours, headers=headers, content=CONTENT)).status_code == 403
            assert (await http.put(signed.url, headers=headers, content=CONTENT)).status_code == 200
            stored = await storage.stat(path)
            assert stored is not None
            terms = DownloadTerms(path=path, stored=stored, mime_type="a/b", disposition="attachment")
            found = await storage.sign_download(terms, in_a_moment())
            assert found is not None
            assert found.url.startswith(public)
            assert (await http.get(found.url)).content == CONTENT


async def test_a_bucket_can_be_reached_by_a_host_of_its_own(
    s3_server: S3Server, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    if s3_server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT: whether it knows virtual hosts, and by what name, is not known")
    resolve = socket.getaddrinfo

    def of_this_machine(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return resolve("127.0.0.1" if name.endswith(".s3.localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", of_this_machine)
    endpoint = f"http://s3.localhost:{urlsplit(s3_server.endpoint).port}"
    url = f"s3://{s3_server.plain}?endpoint={quote(endpoint)}&addressing=virtual"
    async with open_s3(s3_location(url), utc_now) as storage:
        path = new_path()
        signed = await storage.sign_upload(upload(path), in_a_moment())
        assert signed.url.startswith(f"http://{s3_server.plain}.s3.localhost:")
        assert urlsplit(signed.url).path == "/" + quote(path)
        headers: Mapping[str, str] = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
        assert (await http.put(signed.url, headers=headers, content=CONTENT)).status_code == 200
        assert await storage.stat(path) is not None
        assert await storage.stat(StoragePath(path + "x")) is None
        assert [page[0].key async for page in storage.list(path.rpartition("/")[0] + "/")] == [path]
        await storage.delete([path])
        assert await storage.stat(path) is None
        assert {finding.grade for finding in await storage.run_checks()} <= {"ok", "degraded"}
