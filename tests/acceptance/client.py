"""The client of the public API. It checks everything that the API promises for every response."""

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
HeaderList = Mapping[str, str] | Sequence[tuple[str, str]]

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
UNKNOWN_DOCUMENT_ID = "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV"
UNKNOWN_API_KEY_ID = "key_01ARZ3NDEKTSV4RRFFQ69G5FAV"
UNKNOWN_LINK_ID = "dlnk_01ARZ3NDEKTSV4RRFFQ69G5FAV"
MEMBERS = [
    *("id", "name", "description", "mime_type", "size_bytes", "storage_path", "folder", "tags"),
    *("created_by", "created_at", "updated_at"),
]
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
OPEN = ("/health/", "/metrics", "/openapi.json", "/docs", "/storage/")
"""Paths outside the API. The server reads no API key there, so the responses have no rate-limit headers."""
TLS = ssl.create_default_context()
"""Shared by all clients, because a context of its own takes each of them 30 ms."""
OMIT: Any = object()
"""The value of a member that is left out."""

_CODES = {
    400: {"validation_error"},
    401: {"invalid_key"},
    403: {"insufficient_permissions", "quota_exceeded", "link_expired"},
    404: {"not_found"},
    405: {"method_not_allowed"},
    408: {"request_timeout"},
    409: {"storage_conflict", "in_use", "duplicate_name", "object_changed"},
    412: {"precondition_failed"},
    413: {"payload_too_large"},
    414: {"uri_too_long"},
    415: {"unsupported_media_type"},
    422: {"idempotency_mismatch"},
    429: {"rate_limited"},
}
_DETAILS = {
    "validation_error": {"fields"},
    "storage_conflict": {"document_id"},
    "quota_exceeded": {"limit_bytes", "used_bytes", "requested_bytes"},
    "rate_limited": {"retry_after", "window", "limit"},
}


@dataclass(frozen=True)
class SignedUpload:
    """The data of POST /v1/documents/upload-url."""

    upload_url: str
    method: str
    headers: dict[str, str]
    storage_path: str
    expires_at: str


class Client:
    """One API key's view of Dossier; `key` is None for a caller without one.

    `transport` replaces the network, for signed URLs of Dossier too.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None,
        workspace: str = "",
        *,
        admitted: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url, self.key, self.workspace = base_url, key, workspace
        self._admitted = admitted and key is not None
        bearer = {"Authorization": f"Bearer {key}"} if key is not None else {}
        self._api = httpx.Client(
            base_url=base_url, headers=bearer, timeout=30, transport=transport, trust_env=False, verify=TLS
        )
        self._bare = httpx.Client(timeout=60, transport=transport, trust_env=False, verify=TLS)

    def close(self) -> None:
        self._api.close()
        self._bare.close()

    def request(
        self, method: str, path: str, *, content: Any = None, headers: HeaderList | None = None
    ) -> httpx.Response:
        answer = self._api.request(method, path, content=content, headers=headers)
        check(answer, admitted=self._admitted)
        return answer

    def get(self, path: str, headers: HeaderList | None = None) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def delete(self, path: str, headers: HeaderList | None = None) -> httpx.Response:
        return self.request("DELETE", path, headers=headers)

    def post(self, path: str, body: object, headers: HeaderList | None = None) -> httpx.Response:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: object, headers: HeaderList | None = None) -> httpx.Response:
        return self.send("PATCH", path, body, headers)

    def send(self, method: str, path: str, body: object, headers: HeaderList | None = None) -> httpx.Response:
        """Send `body` as JSON, or as it is if it is bytes. `headers` may name another Content-Type."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = list(headers.items() if isinstance(headers, Mapping) else headers or ())
        if "content-type" not in {name.lower() for name, _ in given}:
            given.append(("Content-Type", "application/json"))
        return self.request(method, path, content=content, headers=given)

    def document(self, storage_path: str, **members: Any) -> dict[str, Any]:
        """Return the smallest body that records `storage_path`, changed by `members`."""
        body = {"name": "a.txt", "mime_type": "text/plain", "storage_path": storage_path} | members
        return {name: value for name, value in body.items() if value is not OMIT}

    def record(self, storage_path: str, headers: HeaderList | None = None, **members: Any) -> httpx.Response:
        return self.post("/v1/documents", self.document(storage_path, **members), headers)

    def recorded(self, storage_path: str | None = None, **members: Any) -> dict[str, Any]:
        """Record a document, which must succeed, and return its data. Upload its bytes first if no path is given."""
        return data_of(self.record(storage_path or self.upload(), **members), 201)

    def sign_upload(self, name: str = "a.txt", mime_type: str = "text/plain", **members: Any) -> SignedUpload:
        answer = self.post("/v1/documents/upload-url", {"name": name, "mime_type": mime_type, **members})
        return SignedUpload(**data_of(answer, 200))

    def put(self, signed: SignedUpload, content: Any, **headers: str) -> httpx.Response:
        """PUT with the signed headers. `headers` (underscores for hyphens) replace some; OMIT drops one."""
        sent = httpx.Headers(signed.headers)
        sent.pop("Content-Length", None)  # httpx sets Content-Length to the length that it really sends
        for name, value in headers.items():
            sent.pop(name.replace("_", "-"), None)
            if value is not OMIT:
                sent[name.replace("_", "-")] = value
        return self.storage("PUT", signed.upload_url, content=content, headers=sent)

    def storage(
        self, method: str, url: str, *, content: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Call a signed URL, without the API key. If Dossier serves the URL, check the envelope of the response."""
        answer = self._bare.request(method, url, content=content, headers=headers)
        assert answer.status_code < 500, f"{method} {url} -> {answer.status_code}: {answer.text[:500]}"
        if url.startswith(self.base_url):
            assert re.fullmatch(f"req_{ULID}", answer.headers["X-Request-ID"])
            if answer.status_code >= 400 and method != "HEAD":
                assert {"code", "message"} <= set(answer.json()["error"])
        return answer

    def upload(self, content: bytes = b"hello", name: str = "a.txt", mime_type: str = "text/plain") -> str:
        """Upload bytes and return their storage path."""
        signed = self.sign_upload(name, mime_type)
        answer = self.put(signed, content)
        assert answer.status_code == 200, answer.text
        return signed.storage_path

    def download_url(self, document_id: str) -> str:
        url: str = data_of(self.get(f"/v1/documents/{document_id}"), 200)["download_url"]
        return url


def with_member(body: Mapping[str, Any], member: str, text: str) -> bytes:
    """Return `body` as JSON, with the raw JSON `text` as the value of `member`."""
    others = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in body.items() if name != member]
    return f"{{{','.join([*others, f'{json.dumps(member)}:{text}'])}}}".encode()


def data_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text[:500]}"
    data: dict[str, Any] = answer.json()["data"]
    return data


def error_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text[:500]}"
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == code, error
    return error


def wrong_fields(answer: httpx.Response) -> set[str]:
    """Return the members that a 400 reports; `tags[3]` and `tags.3` count as `tags`."""
    fields = error_of(answer, 400, "validation_error")["details"]["fields"]
    return {re.split(r"[.\[]", name)[0] for name in fields}


def without_request_id(answer: httpx.Response) -> dict[str, Any]:
    """Return an error without its request id, so that two errors can be compared."""
    error: dict[str, Any] = answer.json()["error"]
    return {name: value for name, value in error.items() if name != "request_id"}


def check(answer: httpx.Response, *, admitted: bool) -> None:
    """Check everything that the API promises for a response of any status and route."""
    where = f"{answer.request.method} {answer.request.url} -> {answer.status_code}: {answer.text[:500]}"
    assert answer.status_code < 500, where
    request_id = answer.headers.get("X-Request-ID", "")
    asked = answer.request.headers.get("X-Request-ID", "")
    kept = request_id == asked and re.fullmatch(r"[A-Za-z0-9._-]{1,128}", asked)
    assert kept or re.fullmatch(f"req_{ULID}", request_id), where
    # A head that is too large is refused before the API key in it is read.
    is_read = answer.status_code not in {414, 431}
    if admitted and is_read and not answer.request.url.path.startswith(OPEN):
        for name in RATE_HEADERS:
            assert answer.headers.get(name, "").isdigit(), f"{name} of {where}"
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", where
    assert "default-src 'none'" in answer.headers.get("Content-Security-Policy", ""), where
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"].startswith("application/json"), where
        _check_error(answer, request_id, where)
    elif answer.request.url.path.startswith("/v1/") and answer.content:
        assert answer.headers["Content-Type"].startswith("application/json"), where
        _check_success(answer.json(), where)


def _check_success(body: dict[str, Any], where: str) -> None:
    """Check the top level of a body: `data`, and `meta` if it is a list."""
    assert set(body) <= {"data", "meta"}, where
    assert isinstance(body["data"], dict), where
    if "meta" in body:
        assert {"page", "per_page", "total"} <= set(body["meta"]), where
        assert [type(rows) for rows in body["data"].values()] == [list], where


def _check_error(answer: httpx.Response, request_id: str, where: str) -> None:
    body = answer.json()
    assert set(body) == {"error"}, where
    error = body["error"]
    details = _DETAILS.get(error["code"], set())
    if error["code"] == "storage_conflict" and "details" not in error:
        details = set()  # the document is deleted, so the conflict does not have its id
    assert set(error.get("details", ())) == details, where
    assert set(error) == {"code", "message", "request_id"} | ({"details"} if details else set()), where
    assert error["code"] in _CODES[answer.status_code], where
    assert error["request_id"] == request_id, where
    assert error["message"].strip(), where
    assert "\n" not in error["message"], where
    assert "Traceback" not in answer.text, where
    if error["code"] == "validation_error":
        assert all(isinstance(why, str) and why for why in error["details"]["fields"].values()), where


def timestamp(text: str) -> datetime:
    """Parse a time of the wire format: UTC, whole seconds, Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def together(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all jobs at the same time, each in a thread, and return their results in order."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        barrier.wait(10)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))
