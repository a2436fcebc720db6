"""POST /v1/documents/upload-url, and the upload to the URL that it signs.

What a signed URL permits is proven on every store by `tests/contracts/test_storage.py`.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta

from .client import ULID, Client, data_of, timestamp, wrong_fields
from .operations import UPLOAD_URL

DIGEST = hashlib.sha256(b"hello").hexdigest()


def test_the_response_describes_the_upload_request(home: Client) -> None:
    body = {"name": "a.pdf", "mime_type": "application/pdf", "size_bytes": 5, "sha256": DIGEST}
    data = data_of(home.post(UPLOAD_URL, body), 200)
    assert list(data) == ["upload_url", "method", "headers", "storage_path", "expires_at"]
    assert data["method"] == "PUT"
    assert all(isinstance(value, str) for value in data["headers"].values())
    assert re.fullmatch(f"workspaces/{home.workspace}/documents/{ULID}/a\\.pdf", data["storage_path"])
    assert abs(timestamp(data["expires_at"]) - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)


def test_an_upload_that_is_refused_stores_nothing_and_can_be_retried(home: Client) -> None:
    signed = home.sign_upload(mime_type="text/plain", size_bytes=5, sha256=DIGEST.upper())
    for content, headers in ((b"hallo", {}), (b"hell", {}), (b"hello!", {}), (b"hello", {"Content_Type": "text/html"})):
        assert home.put(signed, content, **headers).status_code in {400, 403}
    assert wrong_fields(home.record(signed.storage_path)) == {"storage_path"}
    assert home.put(signed, b"hello").status_code == 200
    assert home.recorded(signed.storage_path)["size_bytes"] == 5
