"""`dossier upload` and `dossier download`, as a person runs them against a server and interrupts them."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from .documents import rows
from .service import command
from .tenants import Tenants

FILES = 12


@pytest.mark.server
@pytest.mark.slow
def test_an_upload_that_is_killed_again_and_again_records_each_file_once(tenants: Tenants, tmp_path: Path) -> None:
    workspace = tenants.workspace()
    api_key = tenants.api_key(workspace).key
    case = tmp_path / "case"
    (case / "Entwürfe 🗂").mkdir(parents=True)
    for number in range(FILES):
        (case / f"{number}.txt").write_bytes(os.urandom(100 * number))
    (case / "Entwürfe 🗂" / "scan.pdf").write_bytes(os.urandom(3_000_000))
    env = os.environ | {"DOSSIER_URL": tenants.base_url, "DOSSIER_API_KEY": api_key}

    def start(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*command(), *words], env=env, stdout=subprocess.PIPE, text=True)

    for lines_before_the_kill in (1, 5, 0):
        with start("upload", "-r", str(case), "--json") as process:
            assert process.stdout is not None
            for _ in range(lines_before_the_kill):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    for words in (("upload", "-r", str(case)), ("download", "--folder", "/", str(tmp_path / "copy"))):
        with start(*words) as process:
            assert process.wait() == 0

    recorded = sorted(f"{row['folder']}/{row['name']}" for row in rows(tenants.connect(api_key), "per_page=100"))
    files = [path for path in case.rglob("*") if path.is_file()]
    assert recorded == sorted(f"/{path.relative_to(tmp_path)}" for path in files)
    for path in files:
        assert (tmp_path / "copy" / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()
