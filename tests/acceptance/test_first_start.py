"""The first minutes of a newcomer: the printed walk-through works when pasted, and the documents show the same one."""

import json
import os
import re
import shutil
import subprocess
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .service import REPOSITORY, Server, eventually, fresh_data_dir

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="starts servers of its own"),
    pytest.mark.timeout(120),
]


README = (REPOSITORY / "README.md").read_text()
GUIDE = (REPOSITORY / "docs/getting-started.md").read_text()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.start()
        eventually(lambda: "Ctrl-C" in server.said(), 10, "the server has said that it answers")
        yield server


def walk_through(said: str) -> str:
    """Return the printed commands, from the API key to the comparison of the bytes."""
    text = said[said.index("    KEY=") : said.index("came back.'") + len("came back.'")]
    return textwrap.dedent(text)


def _each(text: str) -> list[Any]:
    """Return every JSON value of a text that consists of JSON values only."""
    values = []
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_the_walk_through_works_when_pasted(server: Server, shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = walk_through(server.said())
    done = subprocess.run([shell, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"name":"first.txt"' in done.stdout
    assert done.stdout.endswith("The same bytes came back.\n")


@pytest.mark.parametrize(
    "name", ['Müller & Söhne – NDA "final".pdf', "an empty file", "a\\b.pdf"], ids=["quotes", "empty", "backslash"]
)
def test_the_walk_through_works_with_any_file(server: Server, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"" if "empty" in name else os.urandom(3_000_000))
    script = re.sub(r"(?m)^FILE=.*$", 'FILE="$1" TYPE=application/pdf', walk_through(server.said()))
    done = subprocess.run(
        ["bash", "-c", script, "bash", name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("The same bytes came back.\n")


def test_a_refused_step_of_the_walk_through_shows_the_error_and_no_success(server: Server, tmp_path: Path) -> None:
    (tmp_path / "downloaded").write_text("My first document\n")
    script = re.sub(r"(?m)^KEY=.*$", "KEY=wbk_wrong", walk_through(server.said()))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "invalid_key" in done.stderr
    assert "Traceback" not in done.stderr
    assert "came back" not in done.stdout


def test_the_guide_shows_the_printed_walk_through(server: Server) -> None:
    def essence(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith(("KEY=", "URL="))]

    (shown,) = re.findall(r"```sh\n(KEY=.*?)\n```", GUIDE, re.DOTALL)
    assert essence(shown) == essence(walk_through(server.said()))


def test_the_rest_of_the_guide_finds_changes_links_and_deletes(server: Server, tmp_path: Path) -> None:
    (more,) = re.findall(r"```sh\n(ID=.*?)\n```", GUIDE, re.DOTALL)
    script = f"{walk_through(server.said())}\n{more}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found, changed, linked, belonging = _each(done.stdout.partition("came back.\n")[2])
    newest = found["data"]["documents"][0]  # other tests have recorded documents too
    assert (newest["id"], newest["folder"]) == (changed["data"]["id"], "/inbox")
    assert (changed["data"]["folder"], changed["data"]["tags"]) == ("/archive", ["letter"])
    assert linked["data"]["document_id"] == changed["data"]["id"]
    assert [document["role"] for document in belonging["data"]["documents"]] == ["sender"]


def test_the_call_of_the_readme_has_the_answer_that_the_readme_shows(server: Server) -> None:
    ((path, shown),) = re.findall(r"(?m)^\$ curl .* http://127\.0\.0\.1:8000(\S+)\n(.+)$", README)
    key = re.findall(r"wbk_\w+", server.said())[0]
    request = urllib.request.Request(server.base_url + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        usage = json.load(response)["data"]
    # Other tests record documents on this server.
    assert list(json.loads(shown)["data"].items()) == list((usage | {"used_bytes": 0, "documents": 0}).items())


def test_the_api_key_is_shown_at_the_first_start_only(server: Server) -> None:
    key = re.findall(r"wbk_\w+", server.said())[0]
    server.stop()
    server.start()
    assert server.said().count("There was no workspace yet") == 1
    assert key not in server.said()[server.said().rindex("Dossier answers") - 200 :].split("Dossier answers")[-1]


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
        late.launch(port=int(server.base_url.rpartition(":")[2]))
        assert late.process is not None
        assert late.process.wait(20) == 1
        assert "cannot listen" in late.said()
        assert "Traceback" not in late.said()
        assert not (data_dir / "postgres").exists()
