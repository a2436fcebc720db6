"""POST /v1/documents/upload-url, and what the signed URL does and does not allow."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from .client import OMIT, ULID, Client, SignedUpload, data_of, error_of, timestamp, wrong_fields
from .forgery import FORGED, moved, tampered
from .raw import message, send

GIB = 2**30
DIGEST = hashlib.sha256(b"hello").hexdigest()


def assert_nothing_stored_and_url_still_works(client: Client, signed: SignedUpload) -> None:
    assert wrong_fields(client.record(signed.storage_path)) == {"storage_path"}
    assert client.put(signed, b"hello").status_code == 200
    assert client.recorded(signed.storage_path)["size_bytes"] == 5


def test_the_answer_says_how_to_upload(home: Client) -> None:
    body = {"name": "a.pdf", "mime_type": "application/pdf", "size_bytes": 5, "sha256": DIGEST}
    data = data_of(home.post("/v1/documents/upload-url", body), 200)
    assert list(data) == ["upload_url", "method", "headers", "storage_path", "expires_at"]
    assert data["method"] == "PUT"
    assert all(isinstance(value, str) for value in data["headers"].values())
    assert re.fullmatch(f"workspaces/{home.workspace}/documents/{ULID}/a\\.pdf", data["storage_path"])
    assert abs(timestamp(data["expires_at"]) - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)


def test_size_and_checksum_may_be_null_and_the_checksum_in_upper_case(home: Client) -> None:
    for members in ({"size_bytes": None, "sha256": None}, {"size_bytes": 5, "sha256": DIGEST.upper()}):
        signed = home.sign_upload(**members)
        assert home.put(signed, b"hello").status_code == 200
        assert home.recorded(signed.storage_path)["size_bytes"] == 5


def test_no_two_signed_uploads_share_a_path(home: Client) -> None:
    assert len({home.sign_upload().storage_path for _ in range(20)}) == 20


@pytest.mark.parametrize("content", [b"hello", b"other", b"something longer"])
def test_a_second_upload_through_the_same_url_is_412_and_changes_nothing(home: Client, content: bytes) -> None:
    signed = home.sign_upload()
    assert home.put(signed, b"hello").status_code == 200
    error_of(home.put(signed, content), 412, "precondition_failed")
    document = home.recorded(signed.storage_path, size_bytes=5)
    assert home.put(signed, content).status_code == 412
    assert home.storage("GET", home.download_url(document["id"])).content == b"hello"


def test_an_empty_object_cannot_be_overwritten_either(home: Client) -> None:
    signed = home.sign_upload()
    assert home.put(signed, b"").status_code == 200
    assert home.put(signed, b"x").status_code == 412


@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=utf-8", "text/plainx", "", OMIT])
def test_another_content_type_than_the_signed_one_is_refused(home: Client, kind: Any) -> None:
    signed = home.sign_upload(mime_type="text/plain")
    assert home.put(signed, b"hello", Content_Type=kind).status_code in {400, 403}
    assert_nothing_stored_and_url_still_works(home, signed)


@pytest.mark.parametrize("declared", [True, False])
def test_another_length_than_the_signed_one_is_refused_whether_or_not_it_is_declared(
    home: Client, declared: bool
) -> None:
    def pieces(content: bytes) -> Iterator[bytes]:
        yield content[:3]
        yield content[3:]

    signed = home.sign_upload(size_bytes=5)
    for content in (b"", b"hell", b"hello!", b"x" * 100_000):
        assert home.put(signed, content if declared else pieces(content)).status_code in {400, 403, 411}
    assert_nothing_stored_and_url_still_works(home, signed)


@pytest.mark.parametrize("size", [5, None])
def test_other_bytes_than_those_of_the_signed_checksum_are_not_stored(home: Client, size: int | None) -> None:
    signed = home.sign_upload(sha256=DIGEST, size_bytes=size)
    assert home.put(signed, b"hallo").status_code in {400, 403}
    assert_nothing_stored_and_url_still_works(home, signed)


@pytest.mark.server
def test_an_upload_that_breaks_off_stores_nothing_and_can_be_retried(home: Client) -> None:
    signed = home.sign_upload()
    where = urlsplit(signed.upload_url)
    given = {name.lower(): value for name, value in signed.headers.items()} | {"content-length": "100000"}
    headers = [(name, value.encode()) for name, value in given.items()]
    target = f"{where.path}?{where.query}".encode()
    send(signed.upload_url, message(signed.upload_url, "PUT", target, headers, b"x" * 50_000), more=False)
    assert_nothing_stored_and_url_still_works(home, signed)


def test_a_tampered_url_is_refused_and_nothing_is_stored(home: Client) -> None:
    signed = home.sign_upload(size_bytes=5, sha256=DIGEST)

    def put(url: str) -> int:
        return home.storage("PUT", url, content=b"hello", headers=signed.headers).status_code

    assert {put(url) for url in tampered(signed.upload_url)} <= {403}
    assert {put(url) for url in moved(signed.upload_url)} <= FORGED
    assert_nothing_stored_and_url_still_works(home, signed)


def test_an_upload_url_does_not_read(home: Client) -> None:
    signed = home.sign_upload()
    home.put(signed, b"hello")
    for method in ("GET", "HEAD", "DELETE", "POST"):
        answer = home.storage(method, signed.upload_url, headers=signed.headers)
        assert answer.status_code in {400, 403, 404, 405}
        assert b"hello" not in answer.content


WRONG: dict[str, list[Any]] = {
    "name": [OMIT, None, 5, [], "", " ", "x" * 256, "a\r\nX-Evil: 1"],
    "mime_type": [OMIT, None, 5, [], "", "pdf", "*/*", "text/plain\r\nX-Evil: 1"],
    "size_bytes": [True, "5", 5.5, -1, [], {}],
    "sha256": ["", "0" * 63, "0" * 65, "g" * 64, "0" * 63 + "\n", "\uff10" * 64, 0, []],
    "storage_path": ["workspaces/x/y"],
    "colour": ["red"],
}


@pytest.mark.parametrize(("member", "values"), WRONG.items(), ids=WRONG)
def test_a_wrong_member_is_named(home: Client, member: str, values: list[Any]) -> None:
    for value in values:
        body = {"name": "a", "mime_type": "text/plain"} | {member: value}
        body = {name: given for name, given in body.items() if given is not OMIT}
        assert wrong_fields(home.post("/v1/documents/upload-url", body)) == {member}, repr(value)


def test_all_wrong_members_are_named_at_once(home: Client) -> None:
    body = {"name": "", "mime_type": "", "size_bytes": -1, "sha256": "x", "colour": "red"}
    assert wrong_fields(home.post("/v1/documents/upload-url", body)) == set(body)


def test_more_than_the_upload_limit_of_5_gib_is_413(home: Client) -> None:
    home.sign_upload(size_bytes=5 * GIB)
    for size in (5 * GIB + 1, 2**63 - 1):
        body = {"name": "a", "mime_type": "text/plain", "size_bytes": size}
        error_of(home.post("/v1/documents/upload-url", body), 413, "payload_too_large")
    assert home.post("/v1/documents/upload-url", body | {"size_bytes": 2**63}).status_code in {400, 413}
