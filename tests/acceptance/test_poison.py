"""Nothing a client can send is an error of ours: no poison value anywhere is a 5xx."""

import json
from urllib.parse import quote

import httpx
import pytest

from .client import UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, Client, with_member
from .keys import KEYS, wanted
from .poison import HEADER_VALUES, JSON_VALUES, SEGMENTS, unharmed
from .raw import ask
from .service import eventually

MANY, UPLOAD, ONE = "/v1/documents", "/v1/documents/upload-url", f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
KEY, USAGE = f"{KEYS}/{UNKNOWN_API_KEY_ID}", "/v1/usage"
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


@pytest.mark.parametrize(
    "member", ["name", "permissions", "description", "rate_limit_tier", "expires_at", "unknown", "key"]
)
def test_no_value_of_a_member_of_a_key_is_a_5xx(manager: Client, member: str) -> None:
    for value in JSON_VALUES:
        answer = manager.post(KEYS, with_member(wanted(), member, value))
        assert answer.status_code in {201, 400, 409, 413}, f"{value[:80]}: {answer.status_code}"


@pytest.mark.parametrize("route", [MANY, UPLOAD, KEYS])
def test_no_value_as_the_body_is_a_5xx(manager: Client, route: str) -> None:
    for value in JSON_VALUES:
        assert manager.post(route, value.encode()).status_code in {400, 413}, value[:80]


@pytest.mark.parametrize("route", [MANY, UPLOAD, KEYS])
def test_no_value_as_the_name_of_a_member_is_a_5xx(manager: Client, route: str) -> None:
    for value in JSON_VALUES:
        if value.startswith('"'):
            body = f'{{"name":"a","mime_type":"a/b","storage_path":"x",{value}:1}}'
            assert manager.post(route, body.encode()).status_code in {400, 413}, value[:80]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("method", "route", "header"),
    [
        *(("POST", route, header) for route in (MANY, UPLOAD, KEYS) for header in OURS),
        *(("GET", route, header) for route in (ONE, "/health/ready") for header in OURS),
        *(("DELETE", KEY, header) for header in OURS),
        *((method, route, header) for method, route in (("POST", MANY), ("GET", ONE)) for header in ANYBODYS),
    ],
)
def test_no_value_of_a_header_is_a_5xx(manager: Client, method: str, route: str, header: str) -> None:
    wanted_here = wanted() if route == KEYS else manager.document(f"workspaces/{manager.workspace}/documents/x")
    body = json.dumps(wanted_here).encode() if method == "POST" else None
    for value in HEADER_VALUES:
        headers = [("Authorization", f"Bearer {manager.key}".encode()), (header, value)]
        if header != "Content-Type":
            headers.append(("Content-Type", b"application/json"))
        unharmed(manager, method, route.encode(), headers, body)


QUERIES = [f"{KEYS}?{name}=".encode() for name in ("page", "per_page", "search", "include_revoked", "unknown")]


@pytest.mark.parametrize(
    "prefix",
    [
        *(b"/v1/documents/", b"/v1/", b"/", b"/docs/", b"/openapi.json"),
        *(b"/v1/api-keys/", b"/v1/api-keys", b"/v1/usage", *QUERIES),
    ],
)
def test_no_path_and_no_query_is_a_5xx(manager: Client, prefix: bytes) -> None:
    methods = {b"/v1/api-keys/": ("DELETE", "GET")}.get(prefix, ("GET",) if prefix in QUERIES else ("GET", "POST"))
    for segment in SEGMENTS:
        for method in methods:
            headers = [("Authorization", f"Bearer {manager.key}".encode())]
            unharmed(manager, method, prefix + segment, headers, b"" if method == "POST" else None)


@pytest.mark.parametrize("name", ["page", "per_page", "search", "include_revoked"])
def test_no_value_of_a_parameter_is_a_5xx(manager: Client, name: str) -> None:
    for value in JSON_VALUES:
        for text in {value, value.strip('"')}:
            answer = manager.get(f"{KEYS}?{name}={quote(text[:8000], errors='replace')}")
            assert answer.status_code in {200, 400}, f"{text[:80]}: {answer.status_code}"


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "QUERY", "PROPFIND", "get", "FOO", "X" * 100]
)
@pytest.mark.parametrize("route", [MANY, UPLOAD, ONE, KEYS, KEY, USAGE, "/v1/nothing", "/health/live", "/docs"])
def test_no_method_is_a_5xx(manager: Client, method: str, route: str) -> None:
    headers = [("Authorization", f"Bearer {manager.key}".encode())]
    answer = ask(manager.base_url, method, route.encode(), headers, b"")
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
