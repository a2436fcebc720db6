"""Third-party clients. Clients that are generated from `/openapi.json` can call every operation, and the JDK's client
can upload.

The generated code is not in the repository.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tenants import Tenants

HERE = Path(__file__).parent / "clients"


def run(*words: str, cwd: Path, seconds: int = 120) -> str:
    """Run a command, which must succeed, and return its output."""
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
def test_a_generated_python_client_does_everything(tenants: Tenants, description: Path, tmp_path: Path) -> None:
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    config = tmp_path / "config.yml"
    # The default hooks of the generator only format the code.
    config.write_text("post_hooks: []\n")
    reported = run(
        *(generator, "generate", "--path", str(description), "--config", str(config)),
        *("--meta", "none", "--output-path", str(tmp_path / "generated_client")),
        cwd=tmp_path,
    )
    # The generator omits operations that it does not understand, and warns.
    assert "Warning" not in reported, reported
    program = str(HERE / "python_client.py")
    key = tenants.api_key(tenants.workspace()).key
    # With -c, Python imports from the working directory. With a script, it would import from the directory of the
    # script.
    started = f"import runpy, sys; sys.argv[1:] = {[tenants.base_url, key]!r}; runpy.run_path({program!r})"
    assert run(sys.executable, "-c", started, cwd=tmp_path) == "done\n"


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.timeout(300)
def test_a_generated_typescript_client_does_everything(tenants: Tenants, description: Path, tmp_path: Path) -> None:
    folder = tmp_path / "typescript"
    shutil.copytree(HERE / "typescript", folder)
    # No lock file is used, because it would name the registry of its author. package.json pins the versions.
    run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", cwd=folder)
    run("npx", "openapi-typescript", str(description), "--output", "schema.d.ts", cwd=folder)
    run("npx", "tsc", cwd=folder)
    assert run("node", "client.js", tenants.base_url, tenants.api_key(tenants.workspace()).key, cwd=folder) == "done\n"


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
@pytest.mark.timeout(180)
def test_the_jdks_http_client_uploads_whole_files_while_it_offers_http_2(tenants: Tenants, tmp_path: Path) -> None:
    key = tenants.api_key(tenants.workspace()).key
    assert run("java", str(HERE / "JdkClient.java"), tenants.base_url, key, cwd=tmp_path) == "done\n"
