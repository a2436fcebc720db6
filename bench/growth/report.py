"""The results of the growth part, compared with their targets."""

from dataclasses import dataclass, field
from statistics import fmean, median, quantiles
from typing import Any

from bench.growth.cases import READS, SIZES, WRITES, Case
from bench.growth.plans import shape

PLANS = "growth-plans.md"
"""The file of the plans, beside the results."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. For concurrent creates, the time is divided by their number. `passed` is the number of documents that
    matched the filter."""

    milliseconds: float
    passed: int | None
    in_time: bool


@dataclass(slots=True)
class GrowthResults:
    """Every counted call by case and size, and the plans at the largest size."""

    sizes: list[int]
    calls: dict[tuple[Case, int], list[Call]] = field(default_factory=dict)
    plans: dict[str, list[str]] = field(default_factory=dict)

    def add(self, case: Case, size: int, call: Call) -> None:
        self.calls.setdefault((case, size), []).append(call)

    def p50(self, case: Case, size: int) -> float:
        return median(self._times(case, size))

    def p99(self, case: Case, size: int) -> float:
        times = self._times(case, size)
        return quantiles(times, n=100, method="inclusive")[98] if len(times) > 1 else times[0]

    def mean(self, case: Case, size: int) -> float:
        return fmean(self._times(case, size))

    def ratio(self, case: Case) -> float:
        """Return the p50 at the largest size divided by that at the smallest."""
        return self.p50(case, self.sizes[-1]) / self.p50(case, self.sizes[0])

    def passed(self, case: Case) -> str:
        """Return the number of documents that matched at each size; one number if all sizes agree."""
        found = {
            f"{calls[-1].passed:,}"
            for size in self.sizes
            if (calls := self.calls[case, size]) and calls[-1].passed is not None
        }
        return found.pop() if len(found) == 1 else "–" if not found else "grows"

    def missed(self, case: Case) -> int:
        """Return the number of calls, at all sizes, that took longer than the time limit of Dossier."""
        return sum(not call.in_time for size in self.sizes for call in self.calls[case, size])

    def reported(self, case: Case) -> str:
        """Return a line of progress with the p50 at each size so far."""
        return ", ".join(f"{self.p50(case, size):.2f}" for size in self.sizes) + " ms"

    def _times(self, case: Case, size: int) -> list[float]:
        return [call.milliseconds for call in self.calls[case, size]]


def table(results: GrowthResults) -> str:
    """Return a Markdown table with p50 and p99 in each cell."""
    sizes = results.sizes
    lines = [
        f"| p50 / p99, ms | found | {' | '.join(f'{size:,}' for size in sizes)} | ratio | target | |",
        f"|---|--:|{'--:|' * len(sizes)}--:|--:|---|",
        *(_row(results, case) for case in (*READS, *WRITES) if (case, sizes[0]) in results.calls),
    ]
    for case in WRITES:
        if case.at_once > 1 and (case, sizes[0]) in results.calls:
            rates = ", ".join(f"{1000 / results.mean(case, size):,.0f} at {size:,}" for size in sizes)
            # One create in a hundred moves the index entries of the others into the index, which no p50 shows.
            lines += ["", f"Creates/s, {case.name.partition(', ')[2]}, computed from the mean: {rates}."]
    return "\n".join(lines)


def plans(results: GrowthResults) -> str:
    """Return the plans of each case at the largest size. A plan that an earlier case had too is not repeated."""
    lines = [f"At {results.sizes[-1]:,} documents, without costs, times and plans that were shown before."]
    seen: set[str] = set()
    for name, parts in results.plans.items():
        new = [part for part in parts if shape(part) not in seen]
        seen.update(map(shape, parts))
        lines += ["", f"### {name}", ""]
        lines += ["```", "\n\n".join(new), "```"] if new else ["As above."]
    return "\n".join(lines) + "\n"


def to_json(results: GrowthResults) -> list[dict[str, Any]]:
    """Return the figures of each case at each size."""
    return [
        {
            "case": case.name,
            "documents": size,
            "p50_ms": results.p50(case, size),
            "p99_ms": results.p99(case, size),
            "mean_ms": results.mean(case, size),
            "ratio": results.ratio(case),
            "bound": case.bound,
            "calls": len(calls),
            "not_in_time": sum(not call.in_time for call in calls),
        }
        for (case, size), calls in results.calls.items()
    ]


def _row(results: GrowthResults, case: Case) -> str:
    cells = [f"{results.p50(case, size):.2f} / {results.p99(case, size):.2f}" for size in results.sizes]
    ratio, missed = results.ratio(case), results.missed(case)
    bound = "" if case.bound is None else f"≤ {case.bound:g}"
    verdict = ""
    if case.bound is not None and results.sizes[-1] >= SIZES[-1]:
        verdict = "met" if ratio <= case.bound and not missed else "missed"
    if missed:
        verdict = f"{verdict} ({missed} timed out)".strip()
    return f"| {case.name} | {results.passed(case)} | {' | '.join(cells)} | {ratio:.2f} | {bound} | {verdict} |"
