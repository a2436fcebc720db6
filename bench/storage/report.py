"""The results of the object-storage part, compared with their targets."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from statistics import median
from typing import Any, TypeVar

from bench.library import CREATE, UPLOAD_URL
from bench.storage.cases import FILES, REQUESTS, S3, STORES, Figures
from bench.storage.large_file import FILE_BYTES, SMALL_BYTES, Transfers

CREATE_BOUND = 0.7

F = TypeVar("F", Figures, Transfers)


@dataclass(slots=True)
class StorageResults:
    """All measurements. `figures` has one entry for each request and store in each round; the other fields have one
    entry for each round."""

    figures: dict[tuple[str, str], list[Figures]] = field(default_factory=dict)
    calls: list[dict[str, float]] = field(default_factory=list)
    transfers: list[Transfers] = field(default_factory=list)

    def ratio(self, request: str) -> float:
        """Return the rate with the bucket divided by the rate with the directory: the median over the rounds."""
        pairs = zip(self.figures[request, S3], self.figures[request, FILES], strict=True)
        return median(s3.rate / files.rate for s3, files in pairs)


def table(results: StorageResults) -> str:
    """Return Markdown tables."""
    lines = [
        "| request | object in | requests/s | p50 ms | p99 ms | Python µs | Postgres µs | stub µs |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        _row(request, store, _medians(found))
        for request in REQUESTS
        for store in STORES
        if (found := results.figures.get((request, store)))
    ]
    if (UPLOAD_URL, S3) in results.figures:
        lines += ["", "| ratio | value | target | |", "|---|--:|--:|---|"]
        value = results.ratio(CREATE)
        met = "met" if value >= CREATE_BOUND else "missed"
        lines.append(f"| creates/s, S3 ÷ directory | {value:.2f} | ≥ {CREATE_BOUND:.2f} | {met} |")
        lines.append(f"| upload-urls/s, S3 ÷ directory | {results.ratio(UPLOAD_URL):.2f} | | |")
    if results.calls:
        lines += ["", *_calls(results.calls)]
    if results.transfers:
        lines += ["", *_transfers(results.transfers)]
    return "\n".join(lines)


def to_json(results: StorageResults) -> dict[str, Any]:
    """Return every round."""
    return {
        "requests": [
            {
                "request": request,
                "store": store,
                "median": asdict(_medians(found)),
                "rounds": [asdict(figures) for figures in found],
            }
            for (request, store), found in results.figures.items()
        ],
        "calls": results.calls,
        "transfers": [asdict(transfers) for transfers in results.transfers],
    }


def _row(request: str, store: str, figures: Figures) -> str:
    python, postgres, stub = (
        "–" if figure is None else f"{figure:,.0f}"
        for figure in (figures.python_us, figures.postgres_us, figures.stub_us)
    )
    return (
        f"| {request} | {store} | {figures.rate:,.0f} | {figures.p50_ms:.2f} | {figures.p99_ms:.2f} "
        f"| {python} | {postgres} | {stub} |"
    )


def _calls(rounds: Sequence[dict[str, float]]) -> list[str]:
    lines = ["| CPU per call, µs | Dossier | aiobotocore | ratio |", "|---|--:|--:|--:|"]
    for title, name in (("sign an upload URL", "upload_url"), ("stat an object (HEAD)", "head")):
        ours, theirs = (median(calls[f"{name}_{whose}"] for calls in rounds) for whose in ("ours", "botocore"))
        lines.append(f"| {title} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} |")
    return lines


def _transfers(rounds: Sequence[Transfers]) -> list[str]:
    middle = _medians(rounds)
    up = median(found.upload_mb_s / found.write_mb_s for found in rounds)
    down = median(found.download_mb_s / found.read_mb_s for found in rounds)
    growth = max(found.growth for found in rounds)
    return [
        f"| {FILE_BYTES // 2**30} GiB | MB/s | the disk's MB/s | ratio | CPU s |",
        "|---|--:|--:|--:|--:|",
        f"| upload | {middle.upload_mb_s:,.0f} | {middle.write_mb_s:,.0f} | {up:.2f} | {middle.upload_cpu_s:.2f} |",
        f"| download | {middle.download_mb_s:,.0f} | {middle.read_mb_s:,.0f} | {down:.2f} "
        f"| {middle.download_cpu_s:.2f} |",
        "",
        f"Peak resident memory of Dossier: {middle.peak_after_small / 2**20:.1f} MiB with {SMALL_BYTES // 2**20} MiB, "
        f"{middle.peak_after_large / 2**20:.1f} MiB with {FILE_BYTES // 2**30} GiB; "
        f"at most {growth / 2**20:+.1f} MiB in a round.",
    ]


def _medians(found: Sequence[F]) -> F:
    """Return the median of each figure."""
    first = found[0]
    names = [each.name for each in fields(first) if getattr(first, each.name) is not None]
    return replace(first, **{name: median(getattr(figures, name) for figures in found) for name in names})
