"""`dossier sweep` and `dossier adopt` on a real directory, and a store that belongs to another database."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .client import Client, data_of
from .documents import deleted, usage
from .service import Server, fresh_data_dir
from .tenants import Tenants

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture
def server() -> Iterator[Server]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.start()
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants.client()


def age(files: Path, hours: int) -> None:
    """Set the modification time of every file to so many hours ago."""
    then = time.time() - hours * 3600
    for file in files.rglob("*"):
        if file.is_file():
            os.utime(file, (then, then))


def test_a_sweep_deletes_orphans_of_a_day_and_nothing_else(server: Server, client: Client) -> None:
    files = server.data_dir / "files"
    recorded = client.recorded(client.upload(b"kept"))
    abandoned, new = client.upload(b"abandoned"), client.upload(b"new")
    age(files, 23)
    assert server.cli.ask("sweep", "--dry-run")["unrecorded"] == 0
    age(files, 25)
    os.utime(files / "objects" / new)

    looked = server.cli.ask("sweep", "--dry-run")
    assert (looked["objects"], looked["unrecorded"], looked["deleted"], looked["dry_run"]) == (3, 1, 0, True)
    refused = server.cli.run("sweep")
    assert refused.returncode == 1
    assert "1 of 3 objects have no record" in refused.stderr
    assert "--yes" in refused.stderr
    assert (files / "objects" / abandoned).exists()

    swept = server.cli.ask("sweep", "--yes")
    assert (swept["unrecorded_bytes"], swept["deleted"]) == (len(b"abandoned"), 1)
    assert not (files / "objects" / abandoned).parent.exists()
    assert data_of(client.record(new), 201)["size_bytes"] == 3
    assert client.record(abandoned).status_code == 400
    # Its modification time has changed since it was recorded, and its bytes have not.
    assert client.storage("GET", client.download_url(recorded["id"])).content == b"kept"

    said = server.cli.run("sweep")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("2 objects: 0 unrecorded for a day (0 bytes), 0 late, 0 foreign\n")


def test_a_sweep_deletes_the_bytes_of_deleted_documents_and_nothing_else(server: Server, client: Client) -> None:
    objects = server.data_dir / "files" / "objects"
    kept, *gone = (client.recorded(client.upload(b"kept" if number == 0 else b"gone")) for number in range(4))
    urls = [client.download_url(document["id"]) for document in gone]
    for document in gone:
        deleted(client, document["id"])
    looked = server.cli.ask("sweep", "--dry-run")
    assert (looked["condemned"], looked["unrecorded"], looked["deleted"]) == (3, 0, 0)

    swept = server.cli.ask("sweep")  # --yes is not needed, because clients have deleted these documents
    assert (swept["condemned"], swept["unrecorded"], swept["deleted"]) == (3, 0, 3)
    for document, url in zip(gone, urls, strict=True):
        assert not (objects / document["storage_path"]).exists()
        assert b"gone" not in client.storage("GET", url).content
        answer = client.record(document["storage_path"])
        assert answer.status_code in {400, 409}
        assert document["id"] not in answer.text
    assert client.storage("GET", client.download_url(kept["id"])).content == b"kept"
    assert usage(client) == (4, 1)


@pytest.mark.parametrize("change", ["another store", "a store that lost its mark", "another database"])
def test_a_store_of_another_database_is_refused_until_it_is_adopted(server: Server, change: str) -> None:
    server.stop()
    files, postgres = server.data_dir / "files", server.data_dir / "postgres"
    match change:
        case "another store":
            (files / "deployment").write_text("someone-else turn")
        case "a store that lost its mark":
            shutil.rmtree(files)
        case "another database":
            shutil.rmtree(postgres)
    server.launch()
    assert server.process is not None
    assert server.process.wait(30) == 1
    assert "dossier adopt" in server.said()
    assert "Traceback" not in server.said()
    done = server.cli.run("sweep", "--yes")
    assert done.returncode == 1
    assert "dossier adopt" in done.stderr
    checks = server.cli.run("doctor")
    assert checks.returncode == 1
    assert "FAIL" in checks.stdout

    assert server.cli.run("adopt").returncode == 1  # --yes is missing
    adopted = server.cli.ask("adopt", "--yes")
    server.start()
    assert adopted["id"] in server.cli.run("doctor").stdout
    server.cli.ask("sweep")
