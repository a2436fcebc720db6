"""The results of a run: medians and ratios, compared with their targets, as a table and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.admission import report as admission_report
from bench.admission.report import AdmissionResults
from bench.contenders import BARE_INSERT, DOSSIER, FLOOR, MANY, MOST, ONE_STATEMENT, PEER, SIX_STATEMENTS, Case, Sample
from bench.growth import report as growth_report
from bench.growth import workspaces as workspaces_report
from bench.growth.report import GrowthResults
from bench.memory import SETTLED, Memory
from bench.storage import report as storage_report
from bench.storage.report import StorageResults

# The cases of the ratios: 32 connections, each create with an idempotency key, so that a receipt is one of its facts.
OURS = Case(DOSSIER, 1, MOST, idempotent=True)
OURS_SPREAD = Case(DOSSIER, MANY, MOST, idempotent=True)
THEIRS = Case(PEER, 1, MOST, idempotent=True)
THEIRS_SPREAD = Case(PEER, MANY, MOST, idempotent=True)


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio of two cases and its bound. `figure` names the compared member of `Sample`."""

    name: str
    ours: Case
    other: Case
    bound: float
    figure: str = "rate"
    at_least: bool = True


TARGETS = (
    Target("creates/s ÷ pgbench, one statement", OURS, Case(ONE_STATEMENT, 1, MOST, idempotent=True), 4),
    Target("creates/s ÷ pgbench, six statements", OURS, Case(SIX_STATEMENTS, 1, MOST, idempotent=True), 4),
    Target("creates/s ÷ pgbench, bare INSERT", OURS, Case(BARE_INSERT, 1, MOST, idempotent=False), 0.5),
    Target("creates/s ÷ the FastAPI peer", OURS, THEIRS, 6),
    Target("creates/s ÷ the FastAPI peer, 100 workspaces", OURS_SPREAD, THEIRS_SPREAD, 2.5),
    Target(
        "Python CPU ÷ the bare handler's", OURS, Case(FLOOR, 1, MOST, idempotent=True), 1.5, "python_us", at_least=False
    ),
)
LONE_BOUND = 1.15
LONE_NAME = "latency of a lone create ÷ its statement alone"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over the rounds, each with both its runs. `met` says whether the ratio keeps its bound."""

    name: str
    value: float
    bound: float
    at_least: bool
    rounds: list[float]

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(slots=True)
class Results:
    """All measurements. `samples` has one sample of each case for each round; `lone` has one for each round."""

    conditions: Mapping[str, Any]
    samples: dict[Case, list[Sample]] = field(default_factory=dict)
    lone: list[dict[str, float]] = field(default_factory=list)
    memory: Memory | None = None
    storage: StorageResults | None = None
    admission: AdmissionResults | None = None
    growth: GrowthResults | None = None
    workspaces: workspaces_report.Figures = field(default_factory=dict)

    def add(self, case: Case, sample: Sample) -> None:
        self.samples.setdefault(case, []).append(sample)

    def ratios(self) -> list[Ratio]:
        """Return the ratios whose two cases were both measured."""
        found = []
        for target in TARGETS:
            if target.ours in self.samples and target.other in self.samples:
                rounds = [
                    getattr(ours, target.figure) / getattr(other, target.figure)
                    for ours, other in zip(self.samples[target.ours], self.samples[target.other], strict=True)
                ]
                found.append(Ratio(target.name, median(rounds), target.bound, target.at_least, rounds))
        if self.lone:
            rounds = [lone["batched_ms"] / lone["direct_ms"] for lone in self.lone]
            found.append(Ratio(LONE_NAME, median(rounds), LONE_BOUND, at_least=False, rounds=rounds))
        return found


def medians(samples: Sequence[Sample]) -> Sample:
    """Return the median of each figure."""
    return Sample(
        rate=median(sample.rate for sample in samples),
        p50_ms=median(sample.p50_ms for sample in samples),
        p99_ms=median(sample.p99_ms for sample in samples),
        python_us=_median([sample.python_us for sample in samples]),
        postgres_us=_median([sample.postgres_us for sample in samples]),
    )


def table(results: Results) -> str:
    """Return Markdown tables, for a terminal and for docs/performance.md."""
    lines = _cases(results) if results.samples else []
    if ratios := results.ratios():
        lines += ["", "| ratio | value | target | |", "|---|--:|--:|---|"]
        lines += [
            f"| {ratio.name} | {ratio.value:.2f} | {'≥' if ratio.at_least else '≤'} {ratio.bound:g} "
            f"| {'met' if ratio.met else 'missed'} |"
            for ratio in ratios
        ]
    if results.lone:
        batched, direct = (median(lone[name] for lone in results.lone) for name in ("batched_ms", "direct_ms"))
        lines += ["", f"A lone create takes {batched:.3f} ms, its statement alone {direct:.3f} ms."]
    if results.memory:
        lines += ["", _sentence(results.memory)]
    if results.storage:
        lines += ["", storage_report.table(results.storage)]
    if results.admission:
        lines += ["", admission_report.table(results.admission)]
    if results.growth:
        lines += ["", growth_report.table(results.growth)]
    if results.workspaces:
        lines += ["", workspaces_report.table(results.workspaces)]
    return "\n".join(lines).strip()


def _cases(results: Results) -> list[str]:
    lines = [
        "| contender | workspaces | connections | idempotency key | creates/s | p50 ms | p99 ms | Python µs "
        "| Postgres µs |",
        "|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    order = sorted(results.samples, key=lambda case: (case.workspaces, -case.connections, not case.idempotent))
    for case in order:
        figures = medians(results.samples[case])
        lines.append(
            f"| {case.contender} | {case.workspaces} | {case.connections} | {'yes' if case.idempotent else 'no'} "
            f"| {figures.rate:,.0f} | {figures.p50_ms:.2f} | {figures.p99_ms:.2f} "
            f"| {_micros(figures.python_us)} | {_micros(figures.postgres_us)} |"
        )
    return lines


def to_json(results: Results) -> str:
    """Return every round of every case as JSON."""
    document = {
        "conditions": dict(results.conditions),
        "cases": [
            asdict(case) | {"median": asdict(medians(samples)), "rounds": [asdict(sample) for sample in samples]}
            for case, samples in results.samples.items()
        ],
        "ratios": [asdict(ratio) | {"met": ratio.met} for ratio in results.ratios()],
        "lone": results.lone,
        "memory": None if results.memory is None else asdict(results.memory),
        "storage": None if results.storage is None else storage_report.to_json(results.storage),
        "admission": None if results.admission is None else admission_report.to_json(results.admission),
        "growth": None if results.growth is None else growth_report.to_json(results.growth),
        "workspaces": results.workspaces,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path, results: Results, chart: str) -> list[Path]:
    """Write bench.json, bench.md, bench.svg and the plans, replacing those of an earlier run. Return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"bench.json": to_json(results), "bench.md": table(results) + "\n", "bench.svg": chart}
    if results.growth:
        files[growth_report.PLANS] = growth_report.plans(results.growth)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def _sentence(memory: Memory) -> str:
    first, last = memory.resident[0] / 2**20, memory.resident[-1] / 2**20
    return (
        f"Resident memory of Dossier: {first:.1f} MiB idle, {last:.1f} MiB after {memory.creates[-1]:,} creates; "
        f"{memory.growth:+.1%} since the {memory.creates[SETTLED]:,}th."
    )


def _median(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return median(known) if known else None


def _micros(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:,.0f}"
