"""Compare the pinned versions with the published advisories: `make audit`.

pip-audit skips a package that it cannot look up, and then reports that it found nothing. So this script counts: every
pinned version must have been looked up, or the audit fails.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(lock_file: str) -> Mapping[str, str]:
    """Return the version of each package in the text of a lock file. Names are normalised (PEP 503)."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in _PINNED.findall(lock_file)}


def findings(locked: Mapping[str, str], report: Mapping[str, Any]) -> Sequence[str]:
    """Return what is wrong, one sentence each: weaknesses in pinned versions, and packages that were not looked up.

    `report` is the JSON report of pip-audit.
    """
    found: list[str] = []
    audited: set[str] = set()
    for package in report["dependencies"]:
        if "vulns" not in package:
            continue
        audited.add(re.sub(r"[-_.]+", "-", package["name"]).lower())
        for weakness in package["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
            found.append(f"{package['name']} {package['version']} has {weakness['id']}; fixed in {fixed}.")
    if missing := sorted(locked.keys() - audited):
        found.append(
            f"{len(missing)} of {len(locked)} packages were not audited, because the advisories could not be read: "
            f"{', '.join(missing)}."
        )
    return found


def main(lock_files: Sequence[str]) -> int:
    """Audit the lock files. Return the exit code: 0 only if every package was audited and has no known weakness."""
    failed = False
    for name in lock_files:
        locked = pinned(Path(name).read_text())
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"),
                *("--format=json", "--requirement", name),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        report = json.loads(done.stdout or '{"dependencies": []}')
        found = findings(locked, report)
        failed |= bool(found)
        print(f"{name}: {len(locked)} packages", *(found or ["every one audited, no known weakness."]), sep="\n  ")
        if not done.stdout:
            print(done.stderr.strip())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
