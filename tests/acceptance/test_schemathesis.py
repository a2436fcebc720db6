"""The service conforms to its OpenAPI document.

Schemathesis generates valid and invalid calls and checks the responses. It sends the examples, every boundary of a
schema, random calls, and sequences of calls that follow the links. It does not call the server of most tests, because
it sends wrong API keys, and those are counted by address.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.scale import SOAK

from .keys import PERMISSIONS
from .tenants import Tenants

HERE = Path(__file__).parent / "schemathesis"
EXAMPLES = 400 if SOAK else 80
"""Generated calls for each operation in each phase."""
LEAST = 20_000 if SOAK else 3_000


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.timeout(3600 if SOAK else 300)
def test_every_response_conforms_to_the_openapi_document(own_tenants: Tenants, tmp_path: Path) -> None:
    key = own_tenants.api_key(own_tenants.workspace(), *PERMISSIONS).key
    before = recorded(own_tenants)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "run"),
            *(f"{own_tenants.base_url}/openapi.json", "--header", f"Authorization: Bearer {key}", "--no-color"),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--warnings", "off", "--continue-on-failure"),
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert int(re.findall(r"([\d,]+) generated", done.stdout)[0].replace(",", "")) >= LEAST, done.stdout[-3000:]
    # Without documents, nothing could be read, changed or deleted.
    assert recorded(own_tenants) > before + 20


def recorded(tenants: Tenants) -> float:
    """Return how many documents the server has recorded, by its metrics."""
    line = 'dossier_http_requests_total{method="POST",route="/v1/documents",status="201"} '
    reported = tenants.connect(None).get("/metrics").text.splitlines()
    return sum(float(each.removeprefix(line)) for each in reported if each.startswith(line))
