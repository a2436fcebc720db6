"""The results of a run: medians and ratios, compared with their targets, as a table and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.admission import report as admission_report
from bench.admission.report import AdmissionResults
from bench.contenders import BEFORE, Case, Sample
from bench.growth import report as growth_report
from bench.growth import workspaces as workspaces_report
from bench.growth.report import GrowthResults
from bench.library import REQUESTS
from bench.memory import SETTLED, Memory
from bench.neighbours import NEIGHBOUR_CONNECTIONS, OTHERS_CONNECTIONS, VARIATIONS
from bench.storage import report as storage_report
from bench.storage.report import StorageResults
from bench.targets import Ratio, ratios
from bench.workers import report as workers_report
from bench.workers.run import Results as WorkersResults


@dataclass(slots=True)
class Results:
    """All measurements. `samples` has one sample of each case for each round; `lone` and `neighbours` have one entry
    for each round."""

    conditions: dict[str, Any]
    failures: list[str] = field(default_factory=list)
    """The names of the parts that failed."""
    samples: dict[Case, list[Sample]] = field(default_factory=dict)
    lone: list[dict[str, float]] = field(default_factory=list)
    neighbours: list[Mapping[str, Sample]] = field(default_factory=list)
    memory: Memory | None = None
    storage: StorageResults | None = None
    admission: AdmissionResults | None = None
    workers: WorkersResults = field(default_factory=dict)
    growth: GrowthResults | None = None
    workspaces: workspaces_report.Figures = field(default_factory=dict)

    def add(self, case: Case, sample: Sample) -> None:
        self.samples.setdefault(case, []).append(sample)

    def ratios(self) -> list[Ratio]:
        """Return the ratios of which both parts were measured."""
        return ratios(self.samples, self.lone, self.neighbours)


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
    lines = _conditions(results.conditions)
    if results.samples:
        lines += ["", *_cases(results)]
    if found := results.ratios():
        lines += ["", "| ratio | value | target | |", "|---|--:|--:|---|"]
        lines += map(_ratio, found)
        if not any(case.contender == BEFORE for case in results.samples):
            lines += ["", "Not measured: the ratios to another checkout of Dossier, which BEFORE=folder names."]
    if results.lone:
        batched, direct = (
            " and ".join(f"{median(lone[f'{name}{p}_ms'] for lone in results.lone):.3f}" for p in ("", "_p99"))
            for name in ("batched", "direct")
        )
        lines += ["", f"p50 and p99 of a lone create: {batched} ms; of its statement alone: {direct} ms."]
    if results.neighbours:
        lines += ["", *_neighbours(results.neighbours)]
    if results.memory:
        lines += ["", _sentence(results.memory)]
    if results.storage:
        lines += ["", storage_report.table(results.storage)]
    if results.admission:
        lines += ["", admission_report.table(results.admission)]
    if results.workers:
        lines += ["", workers_report.table(results.workers)]
    if results.growth:
        lines += ["", growth_report.table(results.growth)]
    if results.workspaces:
        lines += ["", workspaces_report.table(results.workspaces)]
    return "\n".join(lines).strip()


def _conditions(conditions: Mapping[str, Any]) -> list[str]:
    return [
        "| | |",
        "|---|---|",
        f"| machine | {conditions['cores']} cores of {conditions['processor']}, "
        f"{conditions['memory_mib'] // 1024} GiB, Linux {conditions['kernel']} |",
        f"| interpreter | {conditions['python']} |",
        f"| database | {conditions['postgres']}, fsync {conditions['fsync']} |",
        f"| run | {conditions['rounds']} rounds of {conditions['seconds']} s on {conditions['date']}, "
        f"commit {conditions['commit']} |",
        f"| load of the machine | {conditions['load_before']:.1f} before, {conditions['load_after']:.1f} after |",
    ]


def _cases(results: Results) -> list[str]:
    lines = [
        "| request | contender | workspaces | connections | idempotency key | requests/s | p50 ms | p99 ms | Python µs "
        "| Postgres µs |",
        "|---|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    order = sorted(
        results.samples,
        key=lambda case: (REQUESTS.index(case.request), case.workspaces, -case.connections, not case.idempotent),
    )
    for case in order:
        figures = medians(results.samples[case])
        lines.append(
            f"| {case.request} | {case.contender} | {case.workspaces} | {case.connections} "
            f"| {'yes' if case.idempotent else 'no'} | {_figures(figures)} "
            f"| {_micros(figures.python_us)} | {_micros(figures.postgres_us)} |"
        )
    return lines


def _ratio(ratio: Ratio) -> str:
    if ratio.bound is None:
        return f"| {ratio.name} | {ratio.value:.2f} | | |"
    bound = f"{'≥' if ratio.at_least else '≤'} {ratio.bound:g}"
    return f"| {ratio.name} | {ratio.value:.2f} | {bound} | {'met' if ratio.met else 'missed'} |"


def _neighbours(rounds: Sequence[Mapping[str, Sample]]) -> list[str]:
    return [
        f"| creates of 100 others on {OTHERS_CONNECTIONS} connections, while on {NEIGHBOUR_CONNECTIONS} connections "
        "| requests/s | p50 ms | p99 ms |",
        "|---|--:|--:|--:|",
        *(
            f"| {variation.name} | {_figures(medians([each[variation.name] for each in rounds]))} |"
            for variation in VARIATIONS
        ),
    ]


def _figures(sample: Sample) -> str:
    return f"{sample.rate:,.0f} | {sample.p50_ms:.2f} | {sample.p99_ms:.2f}"


def to_json(results: Results) -> str:
    """Return every round of every case as JSON."""
    document = {
        "conditions": results.conditions,
        "failures": results.failures,
        "cases": [
            asdict(case) | {"median": asdict(medians(samples)), "rounds": [asdict(sample) for sample in samples]}
            for case, samples in results.samples.items()
        ],
        "ratios": [asdict(ratio) | {"met": ratio.met} for ratio in results.ratios()],
        "lone": results.lone,
        "neighbours": [{name: asdict(sample) for name, sample in each.items()} for each in results.neighbours],
        "memory": None if results.memory is None else asdict(results.memory),
        "storage": None if results.storage is None else storage_report.to_json(results.storage),
        "admission": None if results.admission is None else admission_report.to_json(results.admission),
        "workers": workers_report.to_json(results.workers),
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
