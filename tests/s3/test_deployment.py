"""A whole deployment on a bucket, as an operator and an integrator meet it: a real server, a real curl, real bytes."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from domain.paths import StoragePath
from tests.acceptance.client import Client, data_of, error_of, wrong_fields
from tests.acceptance.service import Server, fresh_data_dir
from tests.acceptance.tenants import Tenants
from tests.contracts.s3_store import S3Store, s3_store
from tests.ministack import S3Bucket

pytestmark = pytest.mark.slow


@pytest.fixture
async def bucket(s3_plain: S3Bucket) -> AsyncIterator[S3Store]:
    """A bucket that is empty."""
    async with s3_store(s3_plain) as store:
        yield store


@pytest.fixture
def server(bucket: S3Store) -> Iterator[Server]:
    """A server on it, not started yet."""
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.env["DOSSIER_STORAGE_URL"] = bucket.server.url(bucket.bucket)
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    server.start()
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants.client()


async def curl(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-g", "-w", "%{http_code}", *words, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


async def test_a_file_goes_to_the_bucket_and_comes_back_and_none_of_it_passes_through_us(
    client: Client, bucket: S3Store, tmp_path: Path
) -> None:
    name = 'Müller & Söhne – NDA "final".pdf'
    file = tmp_path / name
    file.write_bytes(content := bytes(range(256)) * 5000)
    digest = hashlib.sha256(content).hexdigest()
    members = {"name": name, "mime_type": "application/pdf", "size_bytes": len(content), "sha256": digest}
    upload = data_of(client.post("/v1/documents/upload-url", members), 200)
    assert upload["upload_url"].startswith(bucket.server.endpoint)
    headers = [word for header in upload["headers"].items() for word in ("-H", ": ".join(header))]
    assert (await curl("-T", str(file), *headers, upload["upload_url"])).endswith("200")
    # It is there, and stays as it is.
    assert (await curl("-T", str(file), *headers, upload["upload_url"])).endswith("412")

    record = {"name": name, "mime_type": "application/pdf", "storage_path": upload["storage_path"]}
    wrong = client.post("/v1/documents", record | {"size_bytes": len(content) + 1})
    assert wrong_fields(wrong) == {"size_bytes"}
    document = data_of(client.post("/v1/documents", record), 201)
    assert document["size_bytes"] == len(content)
    found = data_of(client.get(f"/v1/documents/{document['id']}"), 200)
    assert found["sha256"] == digest

    async with httpx.AsyncClient() as http:
        whole = await http.get(found["download_url"])
        part = await http.get(found["download_url"], headers={"Range": "bytes=5-9"})
    assert whole.content == content
    assert (part.status_code, part.content) == (206, content[5:10])
    assert whole.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''M%C3%BCller" in whole.headers["Content-Disposition"]

    await bucket.swap(StoragePath(upload["storage_path"]), b"other bytes")
    error_of(client.get(f"/v1/documents/{document['id']}"), 409, "object_changed")
    data_of(client.get(f"/v1/documents/{document['id']}?download=false"), 200)


def test_commands_know_the_bucket_too(client: Client, server: Server) -> None:
    path = f"workspaces/{client.workspace}/documents/absent"
    assert wrong_fields(client.record(path)) == {"storage_path"}
    client.recorded()
    client.upload(b"new")
    swept = server.cli.ask("sweep")
    assert (swept["objects"], swept["unrecorded"], swept["deleted"]) == (2, 0, 0)

    checks = {check["check"]: check for check in server.cli.ask("doctor")["checks"]}
    for check in ("signatures", "expiry", "overwrite", "checksum", "versions", "CORS", "deployment"):
        assert checks[check]["ok"], checks
    assert checks["versions"]["grade"] == "degraded"
    said = server.cli.run("doctor").stdout
    assert "AllowedOrigins" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"DOSSIER_STORAGE_URL": "s3://no-such-bucket-at-all?{}"}, "no such bucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "secret of the access key is wrong"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "set AWS_ACCESS_KEY_ID"),
        ({"DOSSIER_STORAGE_URL": "s3://bucket?region=us-east-1&endpoint=http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"DOSSIER_STORAGE_URL": "s3://bucket"}, "must have the region"),
    ],
    ids=["no bucket", "wrong secret", "no credentials", "nobody there", "no region"],
)
def test_a_bucket_that_cannot_be_used_is_told_in_words_before_anything_is_served(
    server: Server, change: dict[str, str], why: str
) -> None:
    query = server.env["DOSSIER_STORAGE_URL"].partition("?")[2]
    server.env.update({name: value.format(query) for name, value in change.items()})
    server.launch()
    assert server.process is not None
    assert server.process.wait(60) == 1
    assert why in server.said()
    assert "Traceback" not in server.said()
    checks = server.cli.run("doctor", "--json")
    assert checks.returncode == 1
    assert why in json.dumps(json.loads(checks.stdout), ensure_ascii=False)


async def test_a_bucket_of_another_deployment_is_refused(server: Server, bucket: S3Store) -> None:
    await bucket.storage.write_mark("someone-else turn", replace=False)
    server.launch()
    assert server.process is not None
    assert await asyncio.to_thread(server.process.wait, 60) == 1
    assert "dossier adopt" in server.said()
