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
from tests.contracts.s3_store import S3Store
from tests.contracts.stores import CONTENT, SHA256, STORED
from tests.s3 import lax
from tests.s3.lax import lax_server


async def curl(*arguments: str | Path) -> bytes:
    command = ("curl", "-sS", "-g", "--fail", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


@pytest.mark.parametrize("name", ["a.bin", "it's (a) file+1, 100$@home=;:&!.pdf", "x" * 255])
async def test_curl_uploads_and_downloads_with_the_signed_headers(name: str, plain: S3Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    upload = await plain.sign_upload(name, size_bytes=len(CONTENT), sha256=SHA256)
    headers = [part for name, value in upload.headers.items() for part in ("-H", f"{name}: {value}")]
    await curl("-X", upload.method, "-T", file, *headers, upload.url)
    download = await plain.sign_download(await plain.download_terms(name))
    assert download.headers == {}
    assert await curl(download.url) == CONTENT
    assert await curl("-r", "1000-1999", download.url) == CONTENT[1000:2000]


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
