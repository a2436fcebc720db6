"""What the part about admission has shown, against what issue 5 asks for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from statistics import median
from typing import Any

from bench.admission.cases import COLD, COLD_VALKEY, FOUR, NONE, REQUESTS, TWO, VALKEY, WAYS, Figures, Way

CPU_BOUND = 1.6
TRIPS_BOUND = 1.0


@dataclass(slots=True)
class AdmissionResults:
    """Everything measured, by request and way, once for each round."""

    figures: dict[tuple[str, Way], list[Figures]] = field(default_factory=dict)

    def ratio(self, wanted: str, ours: Way, other: Way, of: str) -> float:
        """The median over the rounds, each with both its runs. `of` names what is compared: a member of `Figures`."""
        pairs = zip(self.figures[wanted, ours], self.figures[wanted, other], strict=True)
        return median(float(getattr(ours, of) / getattr(other, of)) for ours, other in pairs)

    def most(self, way: Way, of: str) -> float:
        """The largest of that figure in any round of reads."""
        return max(float(getattr(figures, of)) for figures in self.figures[REQUESTS[0], way])


def table(results: AdmissionResults) -> str:
    """Markdown's tables."""
    lines = [
        "| request | admission | requests/s | p50 ms | p99 ms | Python µs | Postgres µs | Valkey µs | scripts "
        "| look-ups |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        _row(wanted, way, middle(found))
        for wanted in REQUESTS
        for way in WAYS
        if (found := results.figures.get((wanted, way)))
    ]
    lines += ["", "| ratio | value | wanted | |", "|---|--:|--:|---|"]
    for wanted in REQUESTS:
        value = results.ratio(wanted, VALKEY, NONE, "python_us")
        lines.append(_told(f"Python CPU of a {wanted}: key and limit on Valkey ÷ no admission", value, CPU_BOUND))
    for name, way, of in (
        ("scripts a request on Valkey", VALKEY, "scripts"),
        ("look-ups a request with a cold key", COLD, "look_ups"),
        ("scripts a request with a cold key", COLD_VALKEY, "scripts"),
    ):
        lines.append(_told(name, results.most(way, of), TRIPS_BOUND))
    for wanted in REQUESTS:
        lines += [
            f"| {wanted}s/s, {way.name} ÷ one | {results.ratio(wanted, way, VALKEY, 'rate'):.2f} | | |"
            for way in (TWO, FOUR)
        ]
    return "\n".join(lines)


def to_json(results: AdmissionResults) -> list[dict[str, Any]]:
    """Every round."""
    return [
        {
            "request": wanted,
            "admission": asdict(way),
            "median": asdict(middle(found)),
            "rounds": [asdict(figures) for figures in found],
        }
        for (wanted, way), found in results.figures.items()
    ]


def middle(found: Sequence[Figures]) -> Figures:
    """The median of each figure by itself."""
    return Figures(**{each.name: median(getattr(figures, each.name) for figures in found) for each in fields(Figures)})


def _row(wanted: str, way: Way, figures: Figures) -> str:
    return (
        f"| {wanted} | {way.name} | {figures.rate:,.0f} | {figures.p50_ms:.2f} | {figures.p99_ms:.2f} "
        f"| {figures.python_us:,.0f} | {figures.postgres_us:,.0f} | {figures.valkey_us:,.1f} | {figures.scripts:.2f} "
        f"| {figures.look_ups:.2f} |"
    )


def _told(name: str, value: float, bound: float) -> str:
    # What was under way at an edge of the measurement, some of 32, is counted on one side alone; two would be 2.
    met = "met" if value <= bound * 1.1 else "missed"
    return f"| {name} | {value:.2f} | ≤ {bound:g} | {met} |"
