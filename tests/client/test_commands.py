"""The commands for people, on the API in memory."""

import json
import os
import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dossier_client import Client
from dossier_client.commands import connection
from dossier_client.commands.main import dossier
from dossier_client.errors import DossierError
from tests.acceptance.client import Client as Reader
from tests.acceptance.documents import rows
from tests.acceptance.tenants import Tenants
from tests.client.network import Network


@dataclass(frozen=True)
class Person:
    """Somebody with a home directory and an API key, whose workspace `client` reads."""

    home: Path
    env: dict[str, str | None]
    client: Reader

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command, and return what it prints. An expected error counts as exit code 1."""
        done = CliRunner().invoke(dossier, words, env=self.env)
        output = done.output
        if isinstance(done.exception, DossierError):
            output += str(done.exception)
        elif done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"{words}: {done.exit_code}\n{output}"
        return output

    def lines(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Run a command with --json, and return its objects."""
        return [json.loads(line) for line in self.run(*words, "--json", code=code).splitlines()]


@pytest.fixture
def person(memory_tenants: Tenants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    assert memory_tenants.transport is not None
    monkeypatch.setattr(connection, "Client", partial(Client, transport=Network(memory_tenants.transport)))
    workspace = memory_tenants.workspace()
    api_key = memory_tenants.api_key(workspace, "read:documents", "write:documents", "admin:documents").key
    env = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": None}
    env |= {"DOSSIER_URL": memory_tenants.base_url, "DOSSIER_API_KEY": api_key}
    return Person(tmp_path / "home", env, memory_tenants.connect(api_key, workspace))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    case = tmp_path / "case"
    case.mkdir()
    for number in range(3):
        (case / f"{number}.txt").write_bytes(b"x" * number)
    return case


def test_what_cannot_be_uploaded_is_named_and_the_rest_is_uploaded(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "good.txt").write_bytes(b"good")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    (folder / "loop").symlink_to(".")
    (folder / "self").symlink_to("self")
    (folder / os.fsdecode(b"d\xe9")).mkdir()
    (folder / os.fsdecode(b"d\xe9") / "inner.txt").write_bytes(b"x")
    (folder / "linked.txt").symlink_to("good.txt")
    os.mkfifo(folder / "pipe")
    found = {
        line["file"].rpartition("/")[2]: line["result"] for line in person.lines("upload", f"{folder}/", "-r", code=1)
    }
    assert found == {
        "good.txt": "recorded",
        "linked.txt": "recorded",
        "caf\\udce9.txt": "failed",
        "inner.txt": "failed",
        "self": "failed",
        "loop": "skipped",
        "pipe": "skipped",
    }
    assert {(row["folder"], row["name"]) for row in rows(person.client)} == {(None, "good.txt"), (None, "linked.txt")}


def test_a_dry_run_says_what_would_be_uploaded_and_records_nothing(person: Person, case: Path) -> None:
    person.run("upload", str(case / "1.txt"), "--folder", "/in")
    planned = person.lines("upload", str(case / "1.txt"), str(case / "2.txt"), "--folder", "/in", "--dry-run")
    assert sorted(line["result"] for line in planned) == ["missing", "present"]
    assert len(rows(person.client)) == 1
    assert "is a folder; add --recursive" in person.run("upload", str(case), code=1)


def test_documents_are_listed_found_linked_and_removed(person: Person, case: Path) -> None:
    words = ("--folder", "/clients/acme", "--tag", "scan", "--link", "matter:M-2026/17")
    [line] = person.lines("upload", str(case / "1.txt"), *words)
    assert [row["id"] for row in rows(person.client, path="/v1/matters/M-2026%2F17/documents")] == [line["id"]]
    assert "/clients/" in person.run("ls")
    assert line["id"] in person.run("ls", "/clients/acme")
    assert [found["id"] for found in person.lines("find", "1.txt", "--tag", "scan", "--after", "2026-01-01")] == [
        line["id"]
    ]
    assert person.run("find", "nothing-like-it") == ""
    person.run("link", line["id"], "deal:D-1", "--role", "draft")
    assert [row["role"] for row in rows(person.client, path="/v1/deals/D-1/documents")] == ["draft"]
    person.run("rm", line["id"], "--hard")
    assert "no such document" in person.run("rm", line["id"], code=1)
    assert rows(person.client) == []


def test_a_login_is_kept_for_its_user_only(person: Person, case: Path) -> None:
    url, api_key = person.env["DOSSIER_URL"], person.env["DOSSIER_API_KEY"]
    assert url is not None
    assert api_key is not None
    person.env.update(DOSSIER_URL=None, DOSSIER_API_KEY=None)
    assert "dossier login" in person.run("ls", code=1)
    person.run("login", url, "--api-key", api_key)
    [kept] = [path for path in person.home.rglob("*") if path.is_file()]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    person.run("upload", str(case / "1.txt"))
    assert len(rows(person.client)) == 1
    person.env["DOSSIER_URL"] = "http://127.0.0.1:9"
    assert "DOSSIER_API_KEY" in person.run("ls", code=1), "an API key is sent only where it was kept for"
    person.env["DOSSIER_URL"] = None
    person.env["DOSSIER_API_KEY"] = api_key[:-1] + ("A" if api_key[-1] != "A" else "B")
    assert "API key" in person.run("ls", code=1)


def test_a_download_skips_what_is_there_and_keeps_both_of_two_documents_with_one_name(
    person: Person, case: Path, tmp_path: Path
) -> None:
    person.run("upload", str(case / "1.txt"), str(case / "2.txt"), "--folder", "/a/b")
    (case / "2.txt").write_bytes(b"another version")
    person.run("upload", str(case / "2.txt"), "--folder", "/a/b")
    copy = tmp_path / "copy"
    assert {line["result"] for line in person.lines("download", "--folder", "/a", str(copy))} == {"downloaded"}
    assert {line["result"] for line in person.lines("download", "--folder", "/a", str(copy))} == {"present"}
    found = {path.read_bytes() for path in (copy / "b").iterdir()}
    assert found == {b"x", b"xx", b"another version"}
    assert "give the ids" in person.run("download", str(copy), code=2)
    assert "nothing at this address" in person.run("download", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV", str(copy), code=1)


def test_an_api_key_that_is_refused_ends_an_upload_at_once(person: Person, case: Path) -> None:
    person.env["DOSSIER_API_KEY"] = "wbk_nonsense"
    assert "API key" in person.run("upload", "-r", str(case), code=1)


def test_a_document_and_a_folder_with_one_name_are_both_downloaded(person: Person, case: Path, tmp_path: Path) -> None:
    long = case / ("\u6587" * 83 + ".txt")
    for folder, data in (("/a", b"1"), ("/a", b"2"), (f"/a/{long.name}", b"3")):
        long.write_bytes(data)
        person.run("upload", str(long), "--folder", folder)
    for result in ("downloaded", "present"):
        found = person.lines("download", "--folder", "/a", str(tmp_path / "copy"), "--jobs", "1")
        assert [line["result"] for line in found] == [result] * 3
    files = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in files) == [b"1", b"2", b"3"]
