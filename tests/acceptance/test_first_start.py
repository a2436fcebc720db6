"""The first start: the printed walk-through works when it is pasted into a shell, and the documentation has the same
text."""

import json
import os
import pty
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from .service import REPOSITORY, Server, eventually, fresh_data_dir, running_server

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts servers of its own"),
    pytest.mark.timeout(120),
]
README = (REPOSITORY / "README.md").read_text()
GUIDE = (REPOSITORY / "docs/getting-started.md").read_text()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        eventually(lambda: "Ctrl-C" in server.said(), 10, "the server has said that it answers")
        yield server


def first_api_key(server: Server) -> str:
    """The API key of the first start, which has no terminal and so writes it to a file."""
    file = server.data_dir / "first-api-key"
    assert str(file) in server.said()
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_text()


@pytest.fixture(scope="module")
def walk_through(server: Server) -> str:
    """The printed commands, from the API key to the comparison of the bytes."""
    said, end = server.said(), "came back.'"
    return textwrap.dedent(said[said.index("    KEY=") : said.index(end) + len(end)])


def paste(script: str, folder: Path, *arguments: str, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    words = [shell, "-c", script, shell, *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("shell", "name", "size"),
    [
        ("bash", "", 0),
        ("dash", 'Müller & Söhne – NDA "final".pdf', 3_000_000),
        ("zsh", "an empty file", 0),
        ("bash", "a\\b.pdf", 9),
    ],
    ids=["as printed", "quotes", "empty", "backslash"],
)
def test_the_walk_through_accepts_any_file(walk_through: str, shell: str, name: str, size: int, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = walk_through
    if name:
        (tmp_path / name).write_bytes(os.urandom(size))
        script = re.sub(r"(?m)^FILE=.*$", 'FILE="$1" TYPE=application/pdf', walk_through)
    done = paste(script, tmp_path, name, shell=shell)
    assert done.returncode == 0, done.stderr
    assert name or '"name":"first.txt"' in done.stdout
    assert done.stdout.endswith("The same bytes came back.\n")


def test_a_refused_step_of_the_walk_through_shows_the_error_and_no_success(walk_through: str, tmp_path: Path) -> None:
    (tmp_path / "downloaded").write_text("My first document\n")
    done = paste(re.sub(r"(?m)^KEY=.*$", "KEY=wbk_wrong", walk_through), tmp_path)
    assert "invalid_key" in done.stderr
    assert "Traceback" not in done.stderr
    assert "came back" not in done.stdout


def test_the_guide_has_the_printed_walk_through_and_its_later_steps_work(walk_through: str, tmp_path: Path) -> None:
    def essence(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith(("KEY=", "URL="))]

    (shown,) = re.findall(r"```sh\n(KEY=.*?)\n```", GUIDE, re.DOTALL)
    assert essence(shown) == essence(walk_through)
    (more,) = re.findall(r"```sh\n(ID=.*?)\n```", GUIDE, re.DOTALL)
    done = paste(f"{walk_through}\n{more}", tmp_path)
    assert done.returncode == 0, done.stderr
    printed, answers = done.stdout.partition("came back.\n")[2], []
    while printed:
        answer, end = json.JSONDecoder().raw_decode(printed)
        answers.append(answer["data"])
        printed = printed[end:]
    found, changed, linked, belonging = answers
    newest: dict[str, Any] = found["documents"][0]  # other tests have recorded documents too
    assert (newest["id"], newest["folder"]) == (changed["id"], "/inbox")
    assert (changed["folder"], changed["tags"]) == ("/archive", ["letter"])
    assert linked["document_id"] == changed["id"]
    assert [document["role"] for document in belonging["documents"]] == ["sender"]


def test_the_call_in_the_readme_returns_what_the_readme_shows(server: Server) -> None:
    ((path, shown),) = re.findall(r"(?m)^\$ curl .* http://127\.0\.0\.1:8000(\S+)\n(.+)$", README)
    key = first_api_key(server)
    answer = httpx.get(server.base_url + path, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    # Other tests record documents on this server.
    usage = answer.json()["data"] | {"used_bytes": 0, "documents": 0}
    assert list(json.loads(shown)["data"].items()) == list(usage.items())


def test_the_first_start_writes_the_api_key_to_a_file_and_never_to_a_log(server: Server) -> None:
    first, key = server.said(), first_api_key(server)
    server.stop()
    server.start()
    later = server.said().removeprefix(first)
    assert "Dossier answers" in later
    assert "There was no workspace yet" not in later
    assert key not in first + later


def test_a_first_start_in_a_terminal_shows_the_api_key_and_writes_no_file() -> None:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        leader, follower = pty.openpty()
        with open(follower, "wb") as terminal:
            server.launch(terminal=terminal)
            server.wait_until_ready()
            shown = os.read(leader, 10_000).decode()
        os.close(leader)
        assert re.search(r"    wbk_\w+", shown)
        assert not (data_dir / "first-api-key").exists()


def test_everything_that_a_server_makes_is_private_whatever_the_umask(server: Server) -> None:
    previous = os.umask(0)
    try:
        with fresh_data_dir() as data_dir, closing(Server(data_dir)) as loose:
            data_dir.chmod(0o777)
            loose.start()
            modes = {path: path.lstat().st_mode & 0o077 for path in (data_dir, *data_dir.rglob("*"))}
            shared = {str(path) for path, mode in modes.items() if mode and not path.is_socket()}
            assert shared == set()
            assert "its mode is 700 now" in loose.said()
    finally:
        os.umask(previous)


def test_two_simultaneous_first_starts_make_one_workspace() -> None:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as one, closing(Server(data_dir)) as two:
        one.launch()
        two.launch()
        one.wait_until_ready()
        two.wait_until_ready()
        assert len(one.cli.ask("workspace", "list")["workspaces"]) == 1
        assert len(one.cli.ask("keys", "list")["keys"]) == 1


def test_a_port_in_use_is_reported_before_any_file_is_made(server: Server) -> None:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as late:
        late.fails_to_start("cannot listen", server.port)
        assert not (data_dir / "postgres").exists()
