"""The directory of a server: a sweep, and a store of another database."""

import os
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from .client import Client, data_of
from .documents import deleted, usage
from .service import Server, running_server
from .tenants import Tenants

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
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


def test_a_sweep_deletes_orphans_of_a_day_and_the_bytes_of_deleted_documents_and_nothing_else(
    server: Server, client: Client
) -> None:
    objects = server.data_dir / "files" / "objects"
    kept, *gone = (client.recorded(client.upload(content)) for content in (b"kept", b"gone", b"gone"))
    abandoned, new = client.upload(b"abandoned"), client.upload(b"new")
    urls = [client.download_url(document["id"]) for document in gone]
    age(server, 23)
    assert server.cli.ask("sweep", "--dry-run")["unrecorded"] == 0
    for document in gone:
        deleted(client, document["id"])
    age(server, 25)
    os.utime(objects / new)

    looked = server.cli.ask("sweep", "--dry-run")
    assert (looked["condemned"], looked["unrecorded"], looked["deleted"], looked["dry_run"]) == (2, 1, 0, True)
    refused = server.cli.run("sweep")
    assert refused.returncode == 1
    assert "objects have no record" in refused.stderr
    assert "--yes" in refused.stderr
    assert (objects / abandoned).exists()
    swept = server.cli.ask("sweep", "--yes")
    assert (swept["unrecorded"], swept["unrecorded_bytes"]) == (1, len(b"abandoned"))

    assert not (objects / abandoned).parent.exists()
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
    assert said.stdout.startswith("2 objects: 0 unrecorded for a day (0 bytes), 0 late, 0 foreign\n")


def test_a_store_of_another_database_is_refused_until_it_is_adopted(server: Server) -> None:
    """The other ways to lose a store are proven by tests/domain/test_claim_store.py."""
    server.stop()
    (server.data_dir / "files" / "deployment").write_text("another-deployment generation")
    server.launch()
    assert server.process is not None
    assert server.process.wait(30) == 1
    assert "dossier adopt" in server.said()
    assert "Traceback" not in server.said()
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
