"""What docs/storage.md tells operators to paste is what the code needs, and what the tests run with."""

import json
import re
from pathlib import Path

from adapters.s3.checks.cors import cors_configuration
from tests.ministack import deny_copies
from tests.s3.test_examination import GIVEN

PAGE = (Path(__file__).parents[2] / "docs/storage.md").read_text()
RIGHTS, POLICY, CORS = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def test_the_rights_are_those_that_suffice() -> None:
    actions = [action for statement in RIGHTS["Statement"] for action in statement["Action"]]
    assert sorted(actions) == sorted(GIVEN)


def test_the_policy_is_the_one_that_the_tests_give_their_buckets() -> None:
    assert deny_copies("acme-documents") == POLICY


def test_the_cors_rule_is_the_one_that_doctor_prints() -> None:
    assert json.loads(cors_configuration(["https://example.com"])) == CORS
