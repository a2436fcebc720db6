"""The JSON in docs/storage.md is what the code needs, and what the tests run with."""

import json
import re
from pathlib import Path

from adapters.s3.checks.cors import cors_configuration
from tests.ministack import deny_copies
from tests.s3.test_checks import DOCUMENTED

PAGE = (Path(__file__).parents[2] / "docs/storage.md").read_text()
PERMISSIONS, POLICY, CORS = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def test_the_documented_json_is_what_the_tests_run_with() -> None:
    actions = [action for statement in PERMISSIONS["Statement"] for action in statement["Action"]]
    assert sorted(actions) == sorted(DOCUMENTED)
    assert deny_copies("acme-documents") == POLICY
    assert json.loads(cors_configuration(["https://example.com"])) == CORS
