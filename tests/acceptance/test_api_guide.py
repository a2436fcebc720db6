"""`docs/api.md`: its commands work in their order and print the responses that it shows."""

import json
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from .service import REPOSITORY
from .tenants import Tenants

GUIDE = (REPOSITORY / "docs" / "api.md").read_text()
SHELL = re.compile(r"```sh\n(.*?)\n```(?:\n\n```json\n(.*?)\n```)?", re.DOTALL)
BETWEEN = "\x1e"
ANYTHING = "…"
PERMISSIONS = ("read:documents", "write:documents", "admin:api_keys")


@pytest.fixture
def answers(tenants: Tenants, tmp_path: Path) -> list[str]:
    """The output of each shell block, all run in one shell."""
    workspace = tenants.workspace(quota="10GB")
    script = f"\nprintf '{BETWEEN}'\n".join(["set -e", *(block for block, _ in SHELL.findall(GUIDE))])
    for name, value in (("URL", tenants.base_url), ("KEY", tenants.api_key(workspace, *PERMISSIONS).key)):
        script, replaced = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", script)
        assert replaced == 1
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(BETWEEN)[1:]


@pytest.mark.server
def test_every_example_prints_the_response_that_the_guide_shows(answers: list[str]) -> None:
    shown = [(block, answer) for block, answer in SHELL.findall(GUIDE)]
    assert len(shown) == len(answers) > 15
    for (block, wanted), answer in zip(shown, answers, strict=True):
        if wanted:
            assert agrees(json.loads(wanted), json.loads(answer)), f"{block}\nanswered {answer}"


def test_the_table_of_errors_has_exactly_the_codes_of_the_api(tenants: Tenants) -> None:
    reported = set(re.findall(r"(?m)^\| \d{3}(?:, \d{3})* \| `(\w+)` \|", GUIDE))
    document = tenants.connect(None).get("/openapi.json").text
    # These codes are of the router and of signed URLs, which the OpenAPI document does not describe.
    undescribed = {"method_not_allowed", "link_expired"}
    known = set(re.findall(r'"code":"(\w+)"', document)) | undescribed
    assert reported == known


def agrees(wanted: Any, answer: Any) -> bool:
    """Return whether a response equals the one in the guide, except where the guide has an ellipsis."""
    match wanted, answer:
        case dict(), dict():
            named = {name: value for name, value in wanted.items() if name != ANYTHING}
            same_names = list(named) == list(answer) if len(named) == len(wanted) else named.keys() <= answer.keys()
            return same_names and all(agrees(value, answer[name]) for name, value in named.items())
        case list(), list():
            return len(wanted) == len(answer) and all(map(agrees, wanted, answer))
        case str(), str():
            return fnmatchcase(answer, re.sub(r"([\[*?])", r"[\1]", wanted).replace(ANYTHING, "*"))
        case _:
            return bool(wanted == answer and type(wanted) is type(answer))
