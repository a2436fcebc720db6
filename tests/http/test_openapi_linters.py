"""Spectral with its OWASP rules and Redocly find nothing in the OpenAPI document. Both run on Node.

The rules that are turned off, each with its reason, are in `linters/spectral.yaml`.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "linters"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
    pytest.mark.timeout(400),
]


def run(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    # Redocly would report its use, and look for a newer version of itself.
    env = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both linters are installed, in the versions of `linters/package.json`."""
    folder = tmp_path_factory.mktemp("linters")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    # No lock file is used, because it would name the registry of its author.
    done = run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def file(document: Any, linters: Path) -> str:
    (linters / "openapi.json").write_text(json.dumps(document))
    return "openapi.json"


def test_spectral_finds_nothing(linters: Path, file: str) -> None:
    done = run("npx", "spectral", "lint", file, "--ruleset", "spectral.yaml", "--fail-severity", "hint", cwd=linters)
    assert done.returncode == 0, done.stdout + done.stderr


def test_spectral_reports_violations_of_its_rules(linters: Path, document: Any) -> None:
    """An exception for one place must not turn a rule off everywhere."""
    del document["components"]["responses"]["NotFound"]["headers"]["X-RateLimit-Limit"]
    del document["components"]["headers"]["X-RateLimit-Limit"]["schema"]["format"]
    del document["components"]["schemas"]["DocumentRecord"]["properties"]["name"]["maxLength"]
    (linters / "wrong.json").write_text(json.dumps(document))
    done = run(
        *("npx", "spectral", "lint", "wrong.json", "--ruleset", "spectral.yaml", "--format", "json", "--quiet"),
        cwd=linters,
    )
    found = {each["code"].removeprefix("owasp:api4:2023-") for each in json.loads(done.stdout)}
    assert found == {"rate-limit", "integer-format", "string-limit"}, done.stdout


def test_redocly_finds_nothing(linters: Path, file: str) -> None:
    done = run("npx", "redocly", "lint", file, "--config", "redocly.yaml", cwd=linters)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_pattern_compiles_in_ecmascript(linters: Path, file: str) -> None:
    done = run("node", "patterns.mjs", file, cwd=linters)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
