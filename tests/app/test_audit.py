"""The audit of the dependencies fails unless it has looked up every pinned version."""

import runpy
from typing import Any

import pytest

from tests.app.test_documents import ROOT

_AUDIT = runpy.run_path(str(ROOT / "requirements/audit.py"))
LOCK = """\
aiohttp==3.14.5 \\
    --hash=sha256:aa
Typing_Extensions==4.1 ; python_version < '3.13' \\
    --hash=sha256:bb
"""
SOUND: dict[str, Any] = {"name": "typing-extensions", "version": "4.1", "vulns": []}
WEAK = {"name": "aiohttp", "version": "3.14.5", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.14.6"]}]}
SKIPPED = {"name": "aiohttp", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ([SOUND, WEAK | {"vulns": []}], []),
        ([SOUND, WEAK], ["aiohttp 3.14.5 has PYSEC-1; fixed in 3.14.6."]),
        ([SOUND, SKIPPED], ["1 of 2 packages were not audited"]),
        ([SOUND], ["1 of 2 packages were not audited"]),
        ([], ["2 of 2 packages were not audited"]),
    ],
    ids=["sound", "weak", "skipped", "left out", "no report"],
)
def test_an_audit_reports_weaknesses_and_packages_it_did_not_check(packages: list[object], expected: list[str]) -> None:
    found = _AUDIT["findings"](_AUDIT["pinned"](LOCK), {"dependencies": packages})
    assert len(found) == len(expected)
    assert all(text.startswith(beginning) for text, beginning in zip(found, expected, strict=True))
