"""The counters of several processes that share a directory. tests/http/test_metrics.py tests one process."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

# Counts two responses, prints all numbers, and ends.
_WORKER = """
from adapters.in_process.metrics import PrometheusMetrics

metrics = PrometheusMetrics()
for _ in range(2):
    metrics.count_response("GET", "/v1/documents", 200)
    metrics.count_fallback()
print(metrics.exposition({})[0].decode())
"""


def test_each_process_reports_the_counters_of_all_processes_even_ended_ones(tmp_path: Path) -> None:
    for ended in range(3):
        printed = subprocess.run(
            [sys.executable, "-c", _WORKER],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        samples = [sample for family in text_string_to_metric_families(printed) for sample in family.samples]
        assert sorted((sample.name, *sample.labels.values(), sample.value) for sample in samples) == [
            ("dossier_http_requests_total", "GET", "/v1/documents", "200", 2.0 * (ended + 1)),
            ("dossier_keys_unknown_total", 0.0),
            ("dossier_rate_limit_fallback_total", 2.0 * (ended + 1)),
            ("dossier_rate_limit_refused_total", 0.0),
        ]
