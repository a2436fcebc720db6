"""Clients that generators make of `/openapi.json` do all the work; no line of them is in the repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tenants import Tenants

HERE = Path(__file__).parent / "clients"


def run(*words: str, cwd: Path, seconds: int = 120) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def description(tenants: Tenants, tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_bytes(tenants.connect(None).get("/openapi.json").content)
    return file


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.timeout(180)
def test_a_python_client_does_all_the_work(tenants: Tenants, description: Path, tmp_path: Path) -> None:
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    config = tmp_path / "config.yml"
    # It would format what it writes, which nobody reads.
    config.write_text("post_hooks: []\n")
    reported = run(
        *(generator, "generate", "--path", str(description), "--config", str(config)),
        *("--meta", "none", "--output-path", str(tmp_path / "dossier_client")),
        cwd=tmp_path,
    )
    # It leaves out what it does not understand, and says so.
    assert "Warning" not in reported, reported
    program = str(HERE / "python_client.py")
    key = tenants.api_key(tenants.workspace()).key
    # On the path by where it is started: `-m` would need a package, and a file is looked for beside itself.
    started = f"import runpy, sys; sys.argv[1:] = {[tenants.base_url, key]!r}; runpy.run_path({program!r})"
    assert run(sys.executable, "-c", started, cwd=tmp_path) == "done\n"


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no node here: the TypeScript client was not tried")
@pytest.mark.timeout(300)
def test_a_typescript_client_does_all_the_work(tenants: Tenants, description: Path, tmp_path: Path) -> None:
    folder = tmp_path / "typescript"
    shutil.copytree(HERE / "typescript", folder)
    # Without a lock file: it would name the registry of whoever wrote it. The versions are those of package.json.
    run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", cwd=folder)
    run("npx", "openapi-typescript", str(description), "--output", "schema.d.ts", cwd=folder)
    run("npx", "tsc", cwd=folder)
    assert run("node", "client.js", tenants.base_url, tenants.api_key(tenants.workspace()).key, cwd=folder) == "done\n"
