"""The result of one check that `dossier doctor` makes."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """The grade of a check: the deployment keeps a promise of Dossier fully, partly, or not at all."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The name of a check, its grade, and a text for the operator that says what was found."""

    check: str
    grade: Grade
    found: str
