"""GET /v1/documents/{id}, and the download that it signs."""

import hashlib
import os
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_to_bytes

import httpx
import pytest

from .client import MEMBERS, OMIT, Client, data_of, timestamp, wrong_fields
from .documents import document_path
from .forgery import FORGED, moved, tampered

TEN = b"0123456789"
_PARAMETER = re.compile(r';\s*([!#$&+\-.^_`|~0-9A-Za-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s";,\\]+))')
_EXTENDED = re.compile(r"(?i:UTF-8)'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-Fa-f]{2})*)")


def file_name(disposition: str) -> str:
    """Return the name under which a user agent of RFC 6266 saves the attachment. The header must obey its grammar."""
    kind, semicolon, rest = disposition.partition(";")
    assert kind.strip().lower() == "attachment"
    rest = (semicolon + rest).strip()
    names = {}
    while rest:
        found = _PARAMETER.match(rest)
        assert found, f"no parameter: {rest!r} of {disposition!r}"
        quoted, token = found[2], found[3]
        assert found[1] not in names, disposition
        names[found[1]] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        rest = rest[found.end() :].lstrip()
    if "filename*" not in names:
        return names["filename"]
    extended = _EXTENDED.fullmatch(names["filename*"])
    assert extended, disposition
    return unquote_to_bytes(extended[1]).decode()


def served(client: Client, content: bytes, **members: str) -> httpx.Response:
    document = client.recorded(client.upload(content), **members)
    return client.storage("GET", client.download_url(document["id"]))


def of_dossier(client: Client, answer: httpx.Response) -> bool:
    """Return whether Dossier served the answer: an outside object store cannot add nosniff."""
    return str(answer.url).startswith(client.base_url)


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
    assert file_name(answer.headers["Content-Disposition"]) == name
    assert hashlib.sha256(answer.content).hexdigest() == digest


def test_a_read_shows_the_record_with_its_entities_its_checksum_and_a_signed_url(home: Client, stored: str) -> None:
    answer = home.get(document_path(home.recorded(stored)["id"]))
    data = data_of(answer, 200)
    url = ["download_url", "download_url_expires_at"]
    assert list(data) == [*MEMBERS[:8], "linked_entities", *url, *MEMBERS[8:], "sha256"]
    assert data["linked_entities"] == []
    assert data["sha256"] in {None, hashlib.sha256(b"hello").hexdigest()}
    until = timestamp(data["download_url_expires_at"])
    assert abs(until - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)
    assert answer.headers["ETag"] == '"1"'


def test_download_says_whether_a_url_is_signed_and_does_not_change_the_etag(home: Client, stored: str) -> None:
    route = document_path(home.recorded(stored)["id"])
    signed = data_of(home.get(route), 200)
    url = {"download_url", "download_url_expires_at"}
    for query in ("", "?download=true", "?download=1", "?download=false", "?download=0"):
        answer = home.get(route + query)
        data = data_of(answer, 200)
        assert signed.keys() - data.keys() == (url if query.endswith(("false", "0")) else set())
        assert answer.headers["ETag"] == '"1"'


def test_any_other_download_is_refused(home: Client, stored: str) -> None:
    route = document_path(home.recorded(stored)["id"])
    for value in ("", "yes", "2", "-1", "01", "TRUE", "null", "true,", "%20true", "%ff", "%00", "true&download=true"):
        assert wrong_fields(home.get(f"{route}?download={value}")) == {"download"}, value


def test_head_answers_as_get_does_without_the_bytes(home: Client, ten_bytes_url: str) -> None:
    whole, head = home.storage("GET", ten_bytes_url), home.storage("HEAD", ten_bytes_url)
    assert (whole.status_code, head.status_code) == (200, 200)
    assert (whole.content, head.content) == (TEN, b"")
    for name in ("Content-Length", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("asked", "part", "at"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=8-99999999999999999999", b"89", "bytes 8-9/10"),
        ("bytes=-99", TEN, "bytes 0-9/10"),
    ],
)
def test_a_range_is_served_alone(home: Client, ten_bytes_url: str, asked: str, part: bytes, at: str) -> None:
    answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["Content-Range"] == at
    assert answer.headers["Content-Length"] == str(len(part))
    assert file_name(answer.headers["Content-Disposition"]) == "a.txt"


def test_a_range_beyond_the_end_is_416(home: Client, ten_bytes_url: str) -> None:
    for asked in ("bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0"):
        answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == "bytes */10"
        assert TEN not in answer.content


def test_any_other_range_is_the_whole_or_refused(home: Client, ten_bytes_url: str) -> None:
    for asked in (
        *("bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5", "bytes=--1", "items=0-1"),
        "bytes=" + "0-," * 2000,
    ):
        answer = home.storage("GET", ten_bytes_url, headers={"Range": asked})
        assert answer.status_code in {200, 206, 400, 416}
        assert answer.content == TEN or answer.status_code != 200


def test_if_range_with_another_etag_gets_the_whole(home: Client, ten_bytes_url: str) -> None:
    etag = home.storage("HEAD", ten_bytes_url).headers["ETag"]
    for value, status in ((etag, 206), ('"another"', 200)):
        answer = home.storage("GET", ten_bytes_url, headers={"Range": "bytes=0-1", "If-Range": value})
        assert answer.status_code == status


def test_an_empty_file_downloads_as_nothing(home: Client) -> None:
    answer = served(home, b"")
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    "mime_type",
    [
        *("text/html", "TEXT/HTML", "text/html; charset=utf-8", "image/svg+xml", "application/xhtml+xml"),
        *("text/xml", "application/xml", "text/javascript", "application/javascript", "image/png"),
    ],
)
def test_a_download_is_an_attachment_that_no_browser_runs(home: Client, mime_type: str) -> None:
    answer = served(home, b"<script>alert(1)</script>", name="x.html", mime_type=mime_type)
    passive = mime_type == "image/png"
    assert answer.headers["Content-Type"] == (mime_type if passive else "application/octet-stream")
    assert answer.headers.get("X-Content-Type-Options") == "nosniff" or not of_dossier(home, answer)
    assert file_name(answer.headers["Content-Disposition"]) == "x.html"


def test_no_name_splits_a_header_or_is_lost(home: Client) -> None:
    for name in (
        *('"', '""', 'a".pdf', 'a"; filename="evil.exe', "a\\", 'a\\".pdf', "a;b=c", "a,b", "a=b", "'"),
        *("a'b''c", "%", "%41"),
        *("%0d%0aX-Evil: 1", "\\r\\nX-Evil: 1", "../../etc/passwd", "/etc/passwd", "C:\\boot.ini", "."),
        *("..", ".htaccess"),
        *("\u00e9", "\u2013", "\u4e2d\u6587.pdf", "\U0001f4c4.pdf", "\u2028X-Evil: 1"),
        *("\u560d\u560aX-Evil: 1", "gpj.\u202eexe"),
        *("x" * 255, "\U0001f4c4" * 255, " a ", "a  b", "UTF-8''a"),
        *("=?utf-8?q?a?=", "<script>", "${x}", "a\u00a0b"),
    ):
        document = home.recorded(home.upload(b"x"), name=name)
        answer = home.storage("GET", home.download_url(document["id"]))
        assert answer.content == b"x"
        assert answer.headers["Content-Disposition"].isascii()
        assert file_name(answer.headers["Content-Disposition"]) == document["name"]
        assert "X-Evil" not in answer.headers


def test_a_tampered_download_url_shows_nothing(home: Client, ten_bytes_url: str) -> None:
    wrong = [*tampered(ten_bytes_url), f"{ten_bytes_url}&more=1"]
    assert {home.storage("GET", url).status_code for url in wrong} <= {403}
    assert {home.storage("GET", url).status_code for url in moved(ten_bytes_url)} <= FORGED


def test_a_download_url_does_not_write(home: Client, ten_bytes_url: str) -> None:
    for method in ("PUT", "DELETE", "POST"):
        answer = home.storage(method, ten_bytes_url, content=b"other", headers={"Content-Type": "text/plain"})
        assert answer.status_code in {400, 403, 404, 405, 412}
    assert home.storage("GET", ten_bytes_url).content == TEN


def test_a_late_upload_does_not_change_the_download(home: Client) -> None:
    signed = home.sign_upload()
    home.put(signed, b"hello")
    url = home.download_url(home.recorded(signed.storage_path)["id"])
    for kind in ("text/plain", "text/html", OMIT):
        assert home.put(signed, b"HELLO", Content_Type=kind).status_code in {400, 403, 412}
    assert home.storage("GET", url).content == b"hello"
