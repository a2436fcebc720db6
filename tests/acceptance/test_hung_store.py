"""A directory store whose mount hangs: requests that need it are refused, and everything else works."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from .client import data_of, error_of
from .documents import DOCUMENTS, document_path
from .hung_mount import HungMount
from .operations import UPLOAD_URL
from .service import eventually, running_server
from .tenants import Tenants

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(180)]

ANSWER_SECONDS = 8
"""The deadline of a request is seven seconds."""


def test_a_hung_mount_stops_only_requests_that_need_it_and_delays_no_shutdown() -> None:
    with running_server() as server, closing(Tenants(server.base_url, server.cli)) as tenants:
        client = tenants.client()
        document, path, signed = client.recorded(), client.upload(b"kept"), client.sign_upload()
        bearer = {"Authorization": f"Bearer {client.key}"}
        download = client.download_url(document["id"])
        create = client.document(path)
        mount = HungMount(server.data_dir / "files")
        try:
            with httpx.Client(base_url=server.base_url, headers=bearer, timeout=30, trust_env=False) as http:

                def refused(method: str, url: str, **sent: object) -> float:
                    """Return the seconds until the request is refused."""
                    began = time.monotonic()
                    error_of(http.request(method, url, **sent), 503, "unavailable")  # type: ignore[arg-type]
                    return time.monotonic() - began

                with ThreadPoolExecutor(20) as threads:
                    waiting = [threads.submit(refused, "POST", DOCUMENTS, json=create) for _ in range(17)]
                    waiting.append(threads.submit(refused, "GET", document_path(document["id"])))
                    waiting.append(threads.submit(refused, "GET", download))
                    waiting.append(
                        threads.submit(refused, "PUT", signed.upload_url, headers=signed.headers, content=b"new")
                    )
                    while not all(attempt.done() for attempt in waiting):
                        began = time.monotonic()
                        assert len(data_of(http.get(DOCUMENTS), 200)["documents"]) == 1
                        data_of(http.patch(document_path(document["id"]), json={"name": "b.txt"}), 200)
                        data_of(http.post(UPLOAD_URL, json={"name": "a", "mime_type": "text/plain"}), 200)
                        data_of(http.get("/health/live"), 200)
                        assert http.get("/metrics").status_code == 200
                        assert time.monotonic() - began < ANSWER_SECONDS
                    assert max(attempt.result() for attempt in waiting) < ANSWER_SECONDS
                # All threads of the store hang now, so further requests do not wait.
                assert refused("POST", DOCUMENTS, json=create) < ANSWER_SECONDS / 2
                checks = error_of(http.get("/health/ready"), 503, "unavailable")["details"]["checks"]
                assert (checks["storage"], checks["database"]) == ("unavailable", "ok")

                mount.end()
                eventually(lambda: http.get("/health/ready").status_code == 200, 20, "the server has recovered")
                data_of(http.post(DOCUMENTS, json=create), 201)
                assert http.get(download).status_code == 200
                assert http.put(signed.upload_url, headers=signed.headers, content=b"new").status_code == 200

                mount = HungMount(server.data_dir / "files")
                refused("POST", DOCUMENTS, json=client.document(signed.storage_path))
            assert server.stop() == 0
        finally:
            mount.end()
