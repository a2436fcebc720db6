"""A disk with too little free space: uploads are refused with the reason, and everything else works."""

import json
import shutil
from contextlib import closing

import httpx
import pytest

from .client import data_of, error_of
from .documents import deleted
from .operations import UPLOAD_URL
from .service import running_server
from .tenants import Tenants

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_on_a_nearly_full_disk_only_uploads_are_refused() -> None:
    floor = shutil.disk_usage("/tmp").total * 2
    with running_server() as server, closing(Tenants(server.base_url, server.cli)) as tenants:
        client = tenants.client()
        path, signed = client.upload(b"kept"), client.sign_upload()
        server.stop()
        server.env["DOSSIER_MIN_FREE_BYTES"] = str(floor)
        port = int(server.base_url.rpartition(":")[2])
        server.launch(port)
        server.wait_until_ready()

        with httpx.Client(base_url=server.base_url, trust_env=False) as http:
            bearer = {"Authorization": f"Bearer {client.key}"}
            body = {"name": "a", "mime_type": "text/plain"}
            for refused in (
                http.post(UPLOAD_URL, json=body, headers=bearer),
                http.put(signed.upload_url, headers=signed.headers, content=b"new"),
            ):
                error = error_of(refused, 503, "unavailable")
                assert "free disk space" in error["message"]
                assert int(refused.headers["Retry-After"]) > 1
            ready = http.get("/health/ready")
            metrics = http.get("/metrics").text
        assert data_of(ready, 200)["status"] == "degraded"
        assert data_of(ready, 200)["checks"]["disk space"] == "unavailable"
        assert 'dossier_disk_free_bytes{disk="object store"}' in metrics
        assert 'dossier_disk_free_bytes{disk="database"}' in metrics
        assert "DOSSIER_MIN_FREE_BYTES" in server.said()

        document = client.recorded(path)
        assert client.storage("GET", client.download_url(document["id"])).content == b"kept"
        assert len(data_of(client.get("/v1/documents"), 200)["documents"]) == 1
        checks = {check["check"]: check for check in json.loads(server.cli.run("doctor", "--json").stdout)["checks"]}
        assert (checks["disk space"]["ok"], "uploads are refused" in checks["disk space"]["found"]) == (False, True)
        deleted(client, document["id"])
