"""The results of the part about workers, compared with their target."""

from dataclasses import asdict
from statistics import median
from typing import Any

from bench.workers.run import CASES, COUNTS, SHARE, Case, Figures, Results

BOUND = 1.8


def table(results: Results) -> str:
    """Return Markdown tables."""
    lines = [
        f"| request to workers with {SHARE:g} of a core each | workers | requests/s | p50 ms | p99 ms | Python µs "
        "| Postgres µs | creates per call | busiest worker |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(case, workers, results[case, workers]) for case in CASES for workers in COUNTS]
    lines += ["", "| ratio | value | target | |", "|---|--:|--:|---|"]
    for case in CASES:
        value = ratio(results, case)
        met = "met" if value >= BOUND else "missed"
        lines.append(f"| {case.name}: requests/s, two workers ÷ one | {value:.2f} | ≥ {BOUND:g} | {met} |")
    return "\n".join(lines)


def ratio(results: Results, case: Case) -> float:
    """Return the rate of two workers divided by that of one: the median over the rounds."""
    pairs = zip(results[case, COUNTS[-1]], results[case, COUNTS[0]], strict=True)
    return median(two.sample.rate / one.sample.rate for two, one in pairs)


def to_json(results: Results) -> list[dict[str, Any]]:
    """Return every round."""
    return [
        {"case": case.name, "workers": workers, "rounds": [asdict(figures) for figures in found]}
        for (case, workers), found in results.items()
    ]


def _row(case: Case, workers: int, found: list[Figures]) -> str:
    samples = [figures.sample for figures in found]
    rate, p50, p99, python, postgres = (
        median(getattr(sample, figure) for sample in samples)
        for figure in ("rate", "p50_ms", "p99_ms", "python_us", "postgres_us")
    )
    busiest = median(figures.busiest for figures in found)
    rows = [figures.rows for figures in found if figures.rows is not None]
    return (
        f"| {case.name} | {workers} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {python:,.0f} | {postgres:,.0f} "
        f"| {f'{median(rows):.1f}' if rows else '–'} | {busiest:.0%} |"
    )
