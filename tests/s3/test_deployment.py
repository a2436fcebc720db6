"""A whole deployment on a bucket: a real server, its commands and the bytes."""

from contextlib import closing

import pytest

from domain.paths import StoragePath
from tests.acceptance.client import data_of, error_of, wrong_fields
from tests.acceptance.service import Server, fresh_data_dir
from tests.acceptance.tenants import Tenants
from tests.contracts.s3_store import S3Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_a_document_is_uploaded_recorded_downloaded_swept_and_checked_on_a_bucket(plain: S3Store) -> None:
    url = plain.server.url(plain.bucket)
    with fresh_data_dir() as data_dir, closing(Server(data_dir, DOSSIER_STORAGE_URL=url)) as server:
        secret = server.env["AWS_SECRET_ACCESS_KEY"]
        server.env["AWS_SECRET_ACCESS_KEY"] = "wrong"
        server.fails_to_start("secret of the access key is wrong")

        server.env["AWS_SECRET_ACCESS_KEY"] = secret
        server.start()
        with closing(Tenants(server.base_url, server.cli)) as tenants:
            client = tenants.client()
            document = client.recorded(client.upload(b"the bytes"))
            found = data_of(client.get(f"/v1/documents/{document['id']}"), 200)
            assert found["download_url"].startswith(plain.server.endpoint)
            assert client.storage("GET", found["download_url"]).content == b"the bytes"
            absent = f"workspaces/{client.workspace}/documents/absent"
            assert wrong_fields(client.record(absent)) == {"storage_path"}

            client.upload(b"new")
            swept = server.cli.ask("sweep")
            assert (swept["objects"], swept["unrecorded"], swept["deleted"]) == (2, 0, 0)
            checks = {check["check"]: check for check in server.cli.ask("doctor")["checks"]}
            for check in ("signatures", "overwrite", "races", "checksum", "stored headers", "versions", "deployment"):
                assert checks[check]["ok"], checks
            assert checks["versions"]["grade"] == "degraded"
            assert "AllowedOrigins" in checks["CORS"]["found"]

            await plain.replace(StoragePath(document["storage_path"]), b"other bytes")
            error_of(client.get(f"/v1/documents/{document['id']}"), 409, "object_changed")
            data_of(client.get(f"/v1/documents/{document['id']}?download=false"), 200)
