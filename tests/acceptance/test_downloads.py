"""GET /v1/documents/{id}, and the download that it signs.

Names and media types in headers are proven by `tests/domain/test_downloads.py`, signed URLs by
`tests/contracts/test_storage.py`.
"""

import hashlib
import os
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from .client import MEMBERS, Client, data_of, timestamp
from .documents import document_path

TEN = b"0123456789"


def saved_as(disposition: str) -> str:
    """Return the name of the attachment, in the encoding of RFC 8187. The header must obey its grammar."""
    plain, _, encoded = disposition.rpartition("; filename*=UTF-8''")
    assert re.fullmatch(r'attachment; filename="[^"\\]*"', plain), disposition
    assert re.fullmatch(r"(?:[\w!#$&+\-.^`|~]|%[0-9A-F]{2})*", encoded, re.ASCII), disposition
    return unquote(encoded)


@pytest.fixture(scope="module")
def ten_bytes_url(home: Client) -> str:
    return home.download_url(home.recorded(home.upload(TEN))["id"])


@pytest.mark.timeout(120)
def test_sixty_megabytes_and_a_difficult_name_come_back_unchanged(home: Client) -> None:
    content = os.urandom(60_000_000)
    digest = hashlib.sha256(content).hexdigest()
    name = 'M\u00fcller & S\u00f6hne \u2013 NDA "final".pdf'
    signed = home.sign_upload(name, "application/pdf", size_bytes=len(content), sha256=digest)
    assert home.put(signed, content).status_code == 200
    members = {"name": name, "mime_type": "application/pdf", "size_bytes": len(content)}
    document = home.recorded(signed.storage_path, **members)
    assert document["name"] == name
    answer = home.storage("GET", home.download_url(document["id"]))
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert saved_as(answer.headers["Content-Disposition"]) == name
    assert hashlib.sha256(answer.content).hexdigest() == digest


def test_a_read_shows_the_record_and_a_signed_url_unless_download_is_false(home: Client, stored: str) -> None:
    route = document_path(home.recorded(stored)["id"])
    url = ["download_url", "download_url_expires_at"]
    for query, signed in (
        *(("", url), ("?download=TRUE", url), ("?download=1", url), ("?download=false", []), ("?download=0", [])),
    ):
        answer = home.get(route + query)
        data = data_of(answer, 200)
        assert list(data) == [*MEMBERS[:8], "linked_entities", *signed, *MEMBERS[8:], "sha256"]
        assert data["linked_entities"] == []
        assert data["sha256"] in {None, hashlib.sha256(b"hello").hexdigest()}
        assert answer.headers["ETag"] == '"1"'
        if signed:
            until = timestamp(data["download_url_expires_at"])
            assert abs(until - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)


def test_head_has_the_headers_of_get_and_a_range_of_an_empty_file_is_200(home: Client, ten_bytes_url: str) -> None:
    whole, head = home.storage("GET", ten_bytes_url), home.storage("HEAD", ten_bytes_url)
    assert (whole.status_code, head.status_code, whole.content, head.content) == (200, 200, TEN, b"")
    empty = home.download_url(home.recorded(home.upload(b""))["id"])
    answer = home.storage("GET", empty, headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name]


RANGES = {
    "bytes=0-3": (b"0123", "bytes 0-3/10"),
    "bytes=4-": (b"456789", "bytes 4-9/10"),
    "bytes=-3": (b"789", "bytes 7-9/10"),
    "bytes=8-99999999999999999999": (b"89", "bytes 8-9/10"),
    "bytes=-99": (TEN, "bytes 0-9/10"),
}
BEYOND = ["bytes=10-", "bytes=99999999999999999999-", "bytes=-0"]
OTHERS = ["bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=" + "0-," * 2000]


def test_a_range_is_served_as_206_and_one_beyond_the_end_is_416(home: Client, ten_bytes_url: str) -> None:
    for asked, (part, at) in RANGES.items():
        answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, part), asked
        assert answer.headers["Content-Range"] == at
        assert answer.headers["Content-Length"] == str(len(part))
        assert saved_as(answer.headers["Content-Disposition"]) == "a.txt"
    for asked in BEYOND:
        answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10"), asked
        assert TEN not in answer.content
    for asked in OTHERS:
        answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
        assert answer.status_code in {200, 206, 400, 416}, asked
        assert answer.content == TEN or answer.status_code != 200


@pytest.mark.parametrize("mime_type", ["TEXT/HTML; charset=utf-8", "image/png"])
def test_a_download_is_an_attachment_that_no_browser_runs(home: Client, mime_type: str) -> None:
    document = home.recorded(home.upload(b"<script>alert(1)</script>"), name="x.html", mime_type=mime_type)
    answer = home.storage("GET", home.download_url(document["id"]))
    is_passive = mime_type == "image/png"
    assert answer.headers["Content-Type"] == (mime_type if is_passive else "application/octet-stream")
    # An outside object store cannot add nosniff.
    is_outside = not str(answer.url).startswith(home.base_url)
    assert answer.headers.get("X-Content-Type-Options") == "nosniff" or is_outside
    assert saved_as(answer.headers["Content-Disposition"]) == "x.html"
