"""Nothing a client can send is an error of ours: no poison value anywhere is a 5xx."""

import json

import httpx
import pytest

from .client import NOBODYS_ID, Client, with_member
from .poison import HEADER_VALUES, JSON_VALUES, SEGMENTS
from .raw import ask
from .service import eventually

MANY, UPLOAD, ONE = "/v1/documents", "/v1/documents/upload-url", f"/v1/documents/{NOBODYS_ID}"
OURS = ["X-Request-ID", "Idempotency-Key", "Content-Type"]
ANYBODYS = [
    *("Host", "Accept", "Accept-Encoding", "Accept-Language"),
    *("Content-Encoding", "Cookie", "Expect", "If-Match"),
    *("If-None-Match", "If-Modified-Since", "Origin", "Range"),
    *("Upgrade", "X-Forwarded-For", "Forwarded", "X-Nothing"),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "member",
    ["name", "mime_type", "storage_path", "size_bytes", "description", "folder", "tags", "unknown", "id"],
)
def test_no_value_of_a_member_of_a_document_is_a_5xx(home: Client, member: str) -> None:
    """The object is there, so that what the rules let through reaches the store and the database."""
    path = home.upload()
    for value in JSON_VALUES:
        answer = home.post(MANY, with_member(home.document(path), member, value))
        assert answer.status_code in {201, 400, 413}, f"{value[:80]}: {answer.status_code}"
        if answer.status_code == 201:
            path = home.upload()


@pytest.mark.parametrize("member", ["name", "mime_type", "size_bytes", "sha256", "unknown"])
def test_no_value_of_a_member_of_an_upload_is_a_5xx(home: Client, member: str) -> None:
    for value in JSON_VALUES:
        answer = home.post(UPLOAD, with_member({"name": "a", "mime_type": "a/b"}, member, value))
        assert answer.status_code in {200, 400, 403, 413}, f"{value[:80]}: {answer.status_code}"


@pytest.mark.parametrize("route", [MANY, UPLOAD])
def test_no_value_as_the_body_is_a_5xx(home: Client, route: str) -> None:
    for value in JSON_VALUES:
        assert home.post(route, value.encode()).status_code in {400, 413}, value[:80]


@pytest.mark.parametrize("route", [MANY, UPLOAD])
def test_no_value_as_the_name_of_a_member_is_a_5xx(home: Client, route: str) -> None:
    for value in JSON_VALUES:
        if value.startswith('"'):
            body = f'{{"name":"a","mime_type":"a/b","storage_path":"x",{value}:1}}'
            assert home.post(route, body.encode()).status_code in {400, 413}, value[:80]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("route", "header"),
    [
        *((route, header) for route in (MANY, UPLOAD, ONE, "/health/ready") for header in OURS),
        *((route, header) for route in (MANY, ONE) for header in ANYBODYS),
    ],
)
def test_no_value_of_a_header_is_a_5xx(home: Client, route: str, header: str) -> None:
    method = "POST" if route in {MANY, UPLOAD} else "GET"
    body = json.dumps(home.document(f"workspaces/{home.workspace}/documents/x")).encode()
    for value in HEADER_VALUES:
        headers = [("Authorization", f"Bearer {home.key}".encode()), (header, value)]
        if header != "Content-Type":
            headers.append(("Content-Type", b"application/json"))
        answer = ask(home.base_url, method, route.encode(), headers, body if method == "POST" else None)
        assert answer is not None, f"hung up on {header}: {value[:80]!r}"
        assert answer.status < 500, f"{header}: {value[:80]!r} -> {answer.status} {answer.body[:300]!r}"
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize("prefix", [b"/v1/documents/", b"/v1/", b"/", b"/docs/", b"/openapi.json"])
def test_no_path_and_no_query_is_a_5xx(home: Client, prefix: bytes) -> None:
    for segment in SEGMENTS:
        for method in ("GET", "POST"):
            headers = [("Authorization", f"Bearer {home.key}".encode())]
            answer = ask(home.base_url, method, prefix + segment, headers, b"" if method == "POST" else None)
            assert answer is not None, f"hung up on {prefix + segment[:80]!r}"
            assert answer.status < 500, f"{prefix + segment[:80]!r} -> {answer.status} {answer.body[:300]!r}"
            assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "QUERY", "PROPFIND", "get", "FOO", "X" * 100]
)
@pytest.mark.parametrize("route", [MANY, UPLOAD, ONE, "/v1/nothing", "/health/live", "/docs"])
def test_no_method_is_a_5xx(home: Client, method: str, route: str) -> None:
    headers = [("Authorization", f"Bearer {home.key}".encode())]
    answer = ask(home.base_url, method, route.encode(), headers, b"")
    assert answer is not None
    assert answer.status < 500


def test_a_header_of_a_megabyte_harms_nobody(home: Client) -> None:
    for header in ("X-Request-ID", "Idempotency-Key", "X-Nothing"):
        headers = [("Authorization", f"Bearer {home.key}".encode()), (header, b"x" * 1_000_000)]
        answer = ask(home.base_url, "GET", ONE.encode(), headers)
        assert answer is None or (answer.status < 500 and len(answer.headers.get("x-request-id", "")) <= 128)


def test_after_all_that_the_service_is_well(home: Client) -> None:
    def ready() -> bool:
        return httpx.get(f"{home.base_url}/health/ready", timeout=5, trust_env=False).status_code == 200

    eventually(ready, 5, "/health/ready answers 200")
    home.recorded()
