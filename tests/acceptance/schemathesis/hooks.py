"""Hooks for schemathesis: upload a file before a document is recorded.

The command line of schemathesis loads this file (SCHEMATHESIS_HOOKS).
"""

import json
import urllib.request
from typing import Any

import schemathesis

CONTENT = b"%PDF-1.7"
REAL = 0.7
"""The share of creates before which the hook uploads an object. The other creates are refused, which is tested too."""

_recorded = 0


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Upload the bytes of some documents."""
    global _recorded
    if case.operation.label != "POST /v1/documents" or not isinstance(case.body, dict):
        return
    # In the phase of boundaries, schemathesis expects a certain response, so the hook does not change the call.
    if case.meta is not None and case.meta.phase.name.value == "coverage":
        return
    _recorded += 1
    if _recorded % 10 < REAL * 10 and "storage_path" in case.body:
        headers = dict(case.operation.schema.config.headers or {})
        case.body["storage_path"] = _upload(case.operation.base_url, headers)
        case.body.pop("size_bytes", None)
        # With the Idempotency-Key of an example, every response would be a replay of the first one.
        for name in [name for name in case.headers or () if name.lower() == "idempotency-key"]:
            del case.headers[name]


def _upload(base_url: str, headers: dict[str, str]) -> str:
    body = json.dumps({"name": "a.pdf", "mime_type": "application/pdf"}).encode()
    asked = urllib.request.Request(
        f"{base_url.rstrip('/')}/v1/documents/upload-url", body, headers | {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        link = json.load(answer)["data"]
    put = urllib.request.Request(link["upload_url"], CONTENT, link["headers"], method=link["method"])
    with urllib.request.urlopen(put, timeout=10):
        return str(link["storage_path"])
