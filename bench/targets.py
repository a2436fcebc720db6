"""The ratios that a run reports, each with its target: one row for each target of the project."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contenders import (
    BARE_INSERT,
    BEFORE,
    DOSSIER,
    FLOOR,
    LEAN,
    MANY,
    MOST,
    ONE_STATEMENT,
    PEER,
    SIX_STATEMENTS,
    THOUSAND,
    Case,
    Sample,
)
from bench.library import READ, READ_RECORD
from bench.neighbours import ALONE, LENGTHY, LOCKED, MANY_LOCKED, SHORT, Variation

Samples = Mapping[Case, Sequence[Sample]]
"""One sample of each case for each round."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over the rounds, each with both its runs. `met` says whether the ratio keeps its bound, if any."""

    name: str
    value: float
    bound: float | None
    at_least: bool
    rounds: list[float]

    @property
    def met(self) -> bool | None:
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio of two cases and its bound. `figure` names the compared member of `Sample`."""

    name: str
    ours: Case
    other: Case
    bound: float | None
    figure: str = "rate"
    at_least: bool = True


def _create(contender: str, workspaces: int = 1) -> Case:
    return Case(contender, workspaces, MOST, idempotent=contender != BARE_INSERT)


def _read(contender: str, workspaces: int = 1, request: str = READ) -> Case:
    return Case(contender, workspaces, MOST, idempotent=False, request=request)


def _beside(
    other: str, case: Callable[..., Case], what: str, bounds: Mapping[int, float | None], *more: str
) -> list[Target]:
    return [
        Target(f"{what} ÷ {other}, {workspaces:,} workspace{'s'[: workspaces > 1]}", *pair, bound)
        for workspaces, bound in bounds.items()
        for pair in [(case(DOSSIER, workspaces, *more), case(other, workspaces, *more))]
    ]


TARGETS = (
    Target("creates/s ÷ pgbench, one transaction at a time", _create(DOSSIER), _create(ONE_STATEMENT), 6),
    Target("creates/s ÷ pgbench, six statements", _create(DOSSIER), _create(SIX_STATEMENTS), None),
    Target("creates/s ÷ pgbench, bare INSERT", _create(DOSSIER), _create(BARE_INSERT), 0.5),
    *_beside(PEER, _create, "creates/s", {1: 15, MANY: 8, THOUSAND: 8}),
    *_beside(LEAN, _create, "creates/s", {1: 5, MANY: 3, THOUSAND: None}),
    *(
        Target(f"creates/s, {workspaces:,} workspaces ÷ one", _create(DOSSIER, workspaces), _create(DOSSIER), 0.8)
        for workspaces in (MANY, THOUSAND)
    ),
    Target("reads/s with download URL ÷ before", _read(DOSSIER), _read(BEFORE), 1.8),
    Target("Python CPU of a read with download URL ÷ before", _read(DOSSIER), _read(BEFORE), 0.65, "python_us", False),
    Target("creates/s ÷ before", _create(DOSSIER), _create(BEFORE), None),
    Target("Python CPU of a create ÷ before", _create(DOSSIER), _create(BEFORE), 0.7, "python_us", False),
    Target("Python CPU of a create ÷ the bare handler's", _create(DOSSIER), _create(FLOOR), 2.0, "python_us", False),
    *_beside(PEER, _read, "reads/s with download URL", {1: None, THOUSAND: None}),
    *_beside(LEAN, _read, "reads/s with download URL", {1: None, THOUSAND: None}),
    *_beside(LEAN, _read, "reads/s without URL", {1: None, THOUSAND: None}, READ_RECORD),
)

LONE_BOUND = 1.1
LONE_NAME = "latency of a lone create ÷ its statement alone"

NEIGHBOUR_TARGETS: tuple[tuple[Variation, str, float | None, bool], ...] = (
    (SHORT, "p99_ms", None, False),
    (LENGTHY, "p99_ms", 1.5, False),
    (LOCKED, "p99_ms", 1.5, False),
    (MANY_LOCKED, "p99_ms", 1.5, False),
    (MANY_LOCKED, "rate", 0.9, True),
)


def ratios(
    samples: Samples, lone: Sequence[Mapping[str, float]], neighbours: Sequence[Mapping[str, Sample]]
) -> list[Ratio]:
    """Return the ratios of which both parts were measured, in the order of the targets."""
    found = []
    for target in TARGETS:
        if target.ours in samples and target.other in samples:
            rounds = [
                getattr(ours, target.figure) / getattr(other, target.figure)
                # If a run failed, the last round has not all cases.
                for ours, other in zip(samples[target.ours], samples[target.other], strict=False)
            ]
            found.append(Ratio(target.name, median(rounds), target.bound, target.at_least, rounds))
    if lone:
        rounds = [each["batched_ms"] / each["direct_ms"] for each in lone]
        found.append(Ratio(LONE_NAME, median(rounds), LONE_BOUND, at_least=False, rounds=rounds))
    for variation, figure, bound, at_least in NEIGHBOUR_TARGETS if neighbours else ():
        rounds = [getattr(each[variation.name], figure) / getattr(each[ALONE.name], figure) for each in neighbours]
        name = f"others' {'p99' if figure == 'p99_ms' else 'creates/s'} while {variation.name} ÷ without"
        found.append(Ratio(name, median(rounds), bound, at_least, rounds))
    return found
