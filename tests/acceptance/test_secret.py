"""The secret of a deployment, as an operator replaces it.

Who needs it, and what it protects, is proven by tests/app/test_secret.py and tests/postgres/test_sealed_api_keys.py.
"""

import os
from contextlib import closing
from dataclasses import replace

import pytest

from .client import Client, data_of, error_of
from .documents import DOCUMENTS, is_replay, new_idempotency_key
from .keys import KEYS, PERMISSIONS, wanted
from .service import running_server
from .tenants import Tenants

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts servers of its own"),
    pytest.mark.timeout(120),
]


def test_a_server_with_another_secret_starts_only_after_a_rotation() -> None:
    with running_server() as server:
        tenants = Tenants(server.base_url, server.cli)
        workspace = tenants.workspace()
        key = tenants.api_key(workspace, *PERMISSIONS).key
        retries = [(KEYS, wanted(), new_idempotency_key()) for _ in range(2)]
        with closing(Client(server.base_url, key, workspace)) as client:
            retries[1] = (DOCUMENTS, client.document(client.upload()), new_idempotency_key())
            made = [data_of(client.post(*retry), 201) for retry in retries]
            signed = client.sign_upload()
        server.stop()
        server.start()
        with closing(Client(server.base_url, key, workspace)) as client:
            for retry, data in zip(retries, made, strict=True):
                answer = client.post(*retry)
                assert is_replay(answer)
                assert data_of(answer, 201) == data
        server.stop()

        secret = server.data_dir / "secret"
        former = secret.read_text()
        secret.write_text("x" * 64)
        server.fails_to_start("dossier rotate-secret")
        assert "secret: the secret of this process is not the one" in server.cli.run("doctor").stdout
        secret.write_text(former)

        asked = server.cli.run("rotate-secret")  # --yes is missing
        assert asked.returncode == 1
        assert "409 storage_conflict" in asked.stdout
        assert secret.read_text() == former
        server.cli.ask("rotate-secret", "--yes")
        assert secret.read_text() not in (former, "x" * 64)
        server.start()
        with closing(Client(server.base_url, key, workspace)) as client:
            for (path, body, idempotency_key), code in zip(
                retries, ("duplicate_name", "storage_conflict"), strict=True
            ):
                error_of(client.post(path, body, idempotency_key), 409, code)
            moved = replace(
                signed, upload_url=f"{server.base_url}/storage/{signed.upload_url.partition('/storage/')[2]}"
            )
            error_of(client.put(moved, b"hello"), 403, "link_expired")


def test_a_secret_in_the_settings_is_rotated_by_changing_the_setting() -> None:
    with running_server(DOSSIER_SECRET="1" * 32) as server:
        server.stop()
        unchanged = server.cli.run("rotate-secret", "--yes")
        assert unchanged.returncode == 1
        assert "set it to the new one" in unchanged.stderr
        server.env["DOSSIER_SECRET"] = "2" * 32
        server.cli.ask("rotate-secret", "--yes")
        assert not (server.data_dir / "secret").exists()
        server.start()
