"""The result of one check that `dossier doctor` makes."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How well a part of the deployment keeps one of our promises: fully, in a weaker way, or not."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was checked, its grade, and what was found, in words for an operator."""

    check: str
    grade: Grade
    found: str
