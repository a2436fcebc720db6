"""The counters of one process, and of several that share a directory."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from adapters.in_process.metrics import PrometheusMetrics

# Counts so many answers, says so, and tells all numbers as often as it is asked.
_WORKER = """
import sys
from adapters.in_process.metrics import PrometheusMetrics

metrics = PrometheusMetrics()
for _ in range(int(sys.argv[1])):
    metrics.count_answer("GET", "/v1/documents", 200)
    metrics.count_fallback()
print("counted", flush=True)
for _ in sys.stdin:
    print(metrics.exposition()[0].decode(), end="")
    print("# EOF", flush=True)
"""
_ROOT = Path(__file__).parents[2]


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values; no two are of one name and labels."""
    found = [
        ((sample.name, *sample.labels.values()), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(found) == len(dict(found))
    return dict(found)


def start_worker(directory: Path, answers: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(answers)],
        cwd=_ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def scrape(worker: "subprocess.Popen[str]") -> dict[tuple[str, ...], float]:
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write("\n")
    worker.stdin.flush()
    return samples("".join(iter(worker.stdout.readline, "# EOF\n")))


def test_the_exposition_has_only_the_counters_of_the_application() -> None:
    metrics = PrometheusMetrics()
    PrometheusMetrics().count_answer("GET", None, 404)
    for _ in range(2):
        metrics.count_answer("GET", "/v1/documents", 200)
    metrics.count_answer("GET", "/v1/documents", 404)
    metrics.count_answer("BREW", None, 405)
    metrics.count_fallback()
    metrics.count_refusal()
    metrics.count_unknown_key()
    content, content_type = metrics.exposition()
    assert content_type.startswith("text/plain; version=0.0.4")
    assert samples(content.decode()) == {
        ("dossier_http_requests_total", "GET", "/v1/documents", "200"): 2,
        ("dossier_http_requests_total", "GET", "/v1/documents", "404"): 1,
        ("dossier_http_requests_total", "other", "other", "405"): 1,
        ("dossier_rate_limit_fallback_total",): 1,
        ("dossier_rate_limit_refused_total",): 1,
        ("dossier_keys_unknown_total",): 1,
    }


def test_every_process_reports_the_counters_of_all_even_of_one_that_has_ended(tmp_path: Path) -> None:
    with start_worker(tmp_path, 2) as first, start_worker(tmp_path, 3) as second:
        for worker in (first, second):
            assert worker.stdout
            assert worker.stdout.readline() == "counted\n"
        expected = {
            ("dossier_http_requests_total", "GET", "/v1/documents", "200"): 5,
            ("dossier_rate_limit_fallback_total",): 5,
            ("dossier_rate_limit_refused_total",): 0,
            ("dossier_keys_unknown_total",): 0,
        }
        assert scrape(first) == expected
        assert scrape(second) == expected
        first.communicate(timeout=30)
        assert scrape(second) == expected
        second.communicate(timeout=30)
    assert (first.returncode, second.returncode) == (0, 0)
