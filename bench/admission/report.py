"""The results of the admission part, compared with their targets."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from statistics import median
from typing import Any

from bench.admission.cases import COLD, COLD_VALKEY, NONE, REQUESTS, VALKEY, VARIANTS, Figures, Variant

CPU_BOUND = 1.6
TRIPS_BOUND = 1.0


@dataclass(slots=True)
class AdmissionResults:
    """All samples, by request and variant, one per round."""

    figures: dict[tuple[str, Variant], list[Figures]] = field(default_factory=dict)

    def ratio(self, request_name: str, ours: Variant, other: Variant, figure: str) -> float:
        """Return the median over the rounds of one variant's figure divided by the other's."""
        pairs = zip(self.figures[request_name, ours], self.figures[request_name, other], strict=True)
        return median(float(getattr(ours, figure) / getattr(other, figure)) for ours, other in pairs)

    def most(self, variant: Variant, figure: str) -> float:
        """Return the largest value of that figure in any round of reads."""
        return max(float(getattr(figures, figure)) for figures in self.figures[REQUESTS[0], variant])


def table(results: AdmissionResults) -> str:
    """Return Markdown tables."""
    lines = [
        "| request | admission | requests/s | p50 ms | p99 ms | Python µs | Postgres µs | Valkey µs | scripts "
        "| look-ups |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        _row(request_name, variant, medians(found))
        for request_name in REQUESTS
        for variant in VARIANTS
        if (found := results.figures.get((request_name, variant)))
    ]
    lines += ["", "| ratio | value | target | |", "|---|--:|--:|---|"]
    for request_name in REQUESTS:
        value = results.ratio(request_name, VALKEY, NONE, "python_us")
        lines.append(
            _sentence(f"Python CPU of a {request_name}: API key and limit on Valkey ÷ no admission", value, CPU_BOUND)
        )
    for name, variant, of in (
        ("scripts per request on Valkey", VALKEY, "scripts"),
        ("look-ups per request with a cold API key", COLD, "look_ups"),
        ("scripts per request with a cold API key", COLD_VALKEY, "scripts"),
    ):
        lines.append(_sentence(name, results.most(variant, of), TRIPS_BOUND))
    return "\n".join(lines)


def to_json(results: AdmissionResults) -> list[dict[str, Any]]:
    """Return every round."""
    return [
        {
            "request": request_name,
            "admission": asdict(variant),
            "median": asdict(medians(found)),
            "rounds": [asdict(figures) for figures in found],
        }
        for (request_name, variant), found in results.figures.items()
    ]


def medians(found: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(**{each.name: median(getattr(figures, each.name) for figures in found) for each in fields(Figures)})


def _row(request_name: str, variant: Variant, figures: Figures) -> str:
    return (
        f"| {request_name} | {variant.name} | {figures.rate:,.0f} | {figures.p50_ms:.2f} | {figures.p99_ms:.2f} "
        f"| {figures.python_us:,.0f} | {figures.postgres_us:,.0f} | {figures.valkey_us:,.1f} | {figures.scripts:.2f} "
        f"| {figures.look_ups:.2f} |"
    )


def _sentence(name: str, value: float, bound: float) -> str:
    # Up to 32 requests run at each edge of the measurement and are counted on one side only. A true second script or
    # look-up per request would show as 2.
    met = "met" if value <= bound * 1.1 else "missed"
    return f"| {name} | {value:.2f} | ≤ {bound:g} | {met} |"
