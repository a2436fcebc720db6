"""Request ids, rate headers and the error envelope, on every status of every route."""

import json
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from .client import RATE_HEADERS, UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, Client, check, error_of
from .documents import FOLDERS, TAGS, change, delete, link_entity, linked_entity, new_idempotency_key, unlink_entity
from .keys import KEYS, PERMISSIONS, mint, minted, revoke
from .raw import ask, send
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
MANY = "/v1/documents"
UPLOAD = "/v1/documents/upload-url"
USAGE = "/v1/usage"
LINK, TIE, MATTER = f"{ONE}/link", f"{ONE}/link/{UNKNOWN_LINK_ID}", "/v1/matters/x/documents"
KEY = f"{KEYS}/{UNKNOWN_API_KEY_ID}"
READ = (ONE, MANY, USAGE, FOLDERS, TAGS, MATTER)
"""What needs read:documents."""
FORM = {"Content-Type": "text/plain"}
NO_UUID = {"Idempotency-Key": "x"}


@pytest.fixture(scope="module")
def metered(tenants: Tenants, home: Client) -> Client:
    """A key of the standard tier, so that the headers are the ones real clients see."""
    return tenants.client(home.workspace, *PERMISSIONS, tier="standard")


@pytest.fixture(scope="module")
def metered_reader(tenants: Tenants, home: Client) -> Client:
    return tenants.client(home.workspace, "read:documents", tier="standard")


@pytest.fixture(scope="module")
def metered_writer(tenants: Tenants, home: Client) -> Client:
    return tenants.client(home.workspace, "write:documents", tier="standard")


def recorded_twice(client: Client) -> httpx.Response:
    path = client.upload()
    client.recorded(path)
    return client.record(path)


def mismatched(client: Client) -> httpx.Response:
    key = {"Idempotency-Key": str(uuid4())}
    client.record(client.upload(), key)
    return client.record(client.upload(), key)


def mismatched_keys(client: Client) -> httpx.Response:
    key = {"Idempotency-Key": str(uuid4())}
    mint(client, key)
    return mint(client, key)


def mismatched_delete(client: Client) -> httpx.Response:
    key = new_idempotency_key()
    delete(client, client.recorded()["id"], key)
    return delete(client, client.recorded()["id"], key)


def moved(client: Client, target: str) -> httpx.Response:
    """The answer to the move of a new folder to a path below another one."""
    top = f"/{uuid4()}"
    client.recorded(folder=f"{top}/a")
    client.recorded(folder=f"{top}/b")
    return client.patch(FOLDERS, {"from": f"{top}/a", "to": top + target})


def mismatched_revocation(client: Client) -> httpx.Response:
    key = {"Idempotency-Key": str(uuid4())}
    revoke(client, minted(client)["id"], key)
    return revoke(client, minted(client)["id"], key)


ANSWERS: dict[str, tuple[int, Callable[[Client], httpx.Response]]] = {
    "recorded": (201, lambda client: client.record(client.upload())),
    "upload url": (200, lambda client: client.post(UPLOAD, {"name": "a", "mime_type": "a/b"})),
    "document": (200, lambda client: client.get(f"{MANY}/{client.recorded()['id']}")),
    "wrong body": (400, lambda client: client.post(MANY, {})),
    "wrong upload": (400, lambda client: client.post(UPLOAD, {})),
    "no JSON": (400, lambda client: client.post(MANY, b"{")),
    "wrong query": (400, lambda client: client.get(f"{ONE}?download=2")),
    "wrong header": (400, lambda client: client.post(MANY, {}, {"Idempotency-Key": "x"})),
    "absent": (404, lambda client: client.get(ONE)),
    "malformed id": (404, lambda client: client.get(f"{MANY}/x")),
    "unknown route": (404, lambda client: client.get("/v1/nothing")),
    "unknown route, POST": (404, lambda client: client.post("/v1/nothing", {})),
    "wrong method": (405, lambda client: client.request("PUT", MANY)),
    "wrong method on one": (405, lambda client: client.request("PUT", ONE)),
    "conflict": (409, recorded_twice),
    "too large": (413, lambda client: client.post(MANY, b" " * 70_000)),
    "too large an upload": (
        413,
        lambda client: client.post(UPLOAD, {"name": "a", "mime_type": "a/b", "size_bytes": 2**40}),
    ),
    "no JSON type": (415, lambda client: client.post(MANY, b"{}", {"Content-Type": "text/plain"})),
    "mismatch": (422, mismatched),
    "no JSON upload": (400, lambda client: client.post(UPLOAD, b"{")),
    "too large an upload's body": (413, lambda client: client.post(UPLOAD, b" " * 70_000)),
    "no JSON type of an upload": (415, lambda client: client.post(UPLOAD, b"{}", FORM)),
    "wrong method on upload": (405, lambda client: client.request("PUT", UPLOAD)),
    "key": (201, mint),
    "keys": (200, lambda client: client.get(KEYS)),
    "usage": (200, lambda client: client.get(USAGE)),
    "revoked": (204, lambda client: revoke(client, minted(client)["id"])),
    "wrong key body": (400, lambda client: client.post(KEYS, {})),
    "no JSON key": (400, lambda client: client.post(KEYS, b"{")),
    "wrong key header": (400, lambda client: mint(client, NO_UUID)),
    "wrong revocation header": (400, lambda client: revoke(client, UNKNOWN_API_KEY_ID, NO_UUID)),
    "wrong keys query": (400, lambda client: client.get(f"{KEYS}?page=0")),
    "absent key": (404, lambda client: client.delete(KEY)),
    "malformed key id": (404, lambda client: client.delete(f"{KEYS}/x")),
    "wrong method on keys": (405, lambda client: client.request("PUT", KEYS)),
    "wrong method on a key": (405, lambda client: client.get(KEY)),
    "wrong method on usage": (405, lambda client: client.post(USAGE, {})),
    "duplicate name": (409, lambda client: mint(client, name=minted(client)["name"])),
    "too large a key": (413, lambda client: client.post(KEYS, b" " * 70_000)),
    "no JSON type of a key": (415, lambda client: client.post(KEYS, b"{}", FORM)),
    "mismatch of keys": (422, mismatched_keys),
    "mismatch of revocations": (422, mismatched_revocation),
    "documents": (200, lambda client: client.get(MANY)),
    "folders": (200, lambda client: client.get(FOLDERS)),
    "tags": (200, lambda client: client.get(TAGS)),
    "documents of a matter": (200, lambda client: client.get(MATTER)),
    "changed": (200, lambda client: change(client, client.recorded()["id"], name="b.txt")),
    "deleted": (204, lambda client: delete(client, client.recorded()["id"])),
    "linked": (201, lambda client: link_entity(client, client.recorded()["id"])),
    "unlinked": (
        204,
        lambda client: unlink_entity(
            client, (tie := linked_entity(client, client.recorded()["id"]))["document_id"], tie["link_id"]
        ),
    ),
    "moved": (200, lambda client: moved(client, "/c")),
    "wrong documents query": (400, lambda client: client.get(f"{MANY}?page=0")),
    "wrong folders query": (400, lambda client: client.get(f"{FOLDERS}?parent=x")),
    "wrong tags query": (400, lambda client: client.get(f"{TAGS}?page=0")),
    "wrong matter query": (400, lambda client: client.get(f"{MATTER}?page=0")),
    "wrong matter": (400, lambda client: client.get(f"/v1/matters/{'x' * 65}/documents")),
    "wrong change": (400, lambda client: change(client, UNKNOWN_DOCUMENT_ID, name="")),
    "wrong state": (400, lambda client: change(client, UNKNOWN_DOCUMENT_ID, {"If-Match": "x"})),
    "wrong link": (400, lambda client: link_entity(client, UNKNOWN_DOCUMENT_ID, role="")),
    "wrong move": (400, lambda client: moved(client, "/a/b")),
    "wrong delete": (400, lambda client: delete(client, UNKNOWN_DOCUMENT_ID, query="?hard=2")),
    "wrong delete header": (400, lambda client: delete(client, UNKNOWN_DOCUMENT_ID, NO_UUID)),
    "wrong unlink header": (400, lambda client: unlink_entity(client, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, NO_UUID)),
    "absent to change": (404, lambda client: change(client, UNKNOWN_DOCUMENT_ID)),
    "absent to delete": (404, lambda client: delete(client, UNKNOWN_DOCUMENT_ID)),
    "absent to link": (404, lambda client: link_entity(client, UNKNOWN_DOCUMENT_ID)),
    "absent to unlink": (404, lambda client: unlink_entity(client, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID)),
    "unknown kind of thing": (404, lambda client: client.get("/v1/people/x/documents")),
    "wrong method on a link": (405, lambda client: client.get(LINK)),
    "wrong method on a matter": (405, lambda client: client.post(MATTER, {})),
    "folder in the way": (409, lambda client: moved(client, "/b")),
    "changed since": (412, lambda client: change(client, client.recorded()["id"], {"If-Match": '"9"'})),
    "changed before the delete": (412, lambda client: delete(client, client.recorded()["id"], {"If-Match": '"9"'})),
    "too large a change": (413, lambda client: client.patch(ONE, b" " * 70_000)),
    "too large a link": (413, lambda client: client.post(LINK, b" " * 70_000)),
    "too large a move": (413, lambda client: client.patch(FOLDERS, b" " * 70_000)),
    "no JSON type of a change": (415, lambda client: client.patch(ONE, b"{}", FORM)),
    "no JSON type of a link": (415, lambda client: client.post(LINK, b"{}", FORM)),
    "no JSON type of a move": (415, lambda client: client.patch(FOLDERS, b"{}", FORM)),
    "mismatch of deletes": (422, mismatched_delete),
}


@pytest.mark.parametrize(("status", "call"), ANSWERS.values(), ids=ANSWERS.keys())
def test_every_answer_to_a_key_has_a_request_id_and_the_rate_headers(
    metered: Client, status: int, call: Callable[[Client], httpx.Response]
) -> None:
    answer = call(metered)
    assert answer.status_code == status
    check(answer, admitted=True)
    assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) < int(answer.headers["X-RateLimit-Limit"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", MANY), ("POST", UPLOAD), ("POST", KEYS), ("GET", KEYS), ("DELETE", KEY)),
        *(("GET", path) for path in READ),
        *(("PATCH", ONE), ("DELETE", ONE), ("POST", LINK), ("DELETE", TIE), ("PATCH", FOLDERS)),
    ],
)
def test_a_refused_permission_has_the_rate_headers_too(
    metered_reader: Client, metered_writer: Client, method: str, path: str
) -> None:
    answer = (metered_writer if method == "GET" and path in READ else metered_reader).request(method, path)
    assert answer.status_code == 403
    assert all(answer.headers[name].isdigit() for name in RATE_HEADERS)


def test_no_two_answers_share_a_request_id(home: Client) -> None:
    assert len({home.get(ONE).headers["X-Request-ID"] for _ in range(50)}) == 50


@pytest.mark.parametrize("path", [*READ, UPLOAD, KEYS, TIE, "/v1/nothing", "/health/live", "/openapi.json", "/docs"])
@pytest.mark.parametrize("request_id", ["a", "req_01ARZ3NDEKTSV4RRFFQ69G5FAV", "A-Z.a_z-09", "..", "x" * 128])
def test_a_well_formed_request_id_is_kept(home: Client, path: str, request_id: str) -> None:
    answer = home.get(path, {"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    assert answer.status_code < 400 or answer.json()["error"]["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id",
    [
        *(b"", b"x" * 129, b"x" * 5000, b"a b", b"a\tb", b"a/b", b"a:b", b"a,b", b"<script>", b"a%0ab"),
        *(b'"a"', b"{}", b"a=b"),
        *(b"\xc3\xa9", b"\xff", b"a\xc2\x85b", b"\xe2\x80\xa8", b"${jndi:ldap://x}", b"a;b", b"a\\nb"),
        *(b"a'b", b"*"),
    ],
)
@pytest.mark.parametrize("path", [MANY, ONE, "/v1/nothing", "/health/live"])
def test_any_other_request_id_is_replaced(home: Client, path: str, request_id: bytes) -> None:
    headers = [("X-Request-ID", request_id), ("Authorization", f"Bearer {home.key}".encode())]
    answer = ask(home.base_url, "GET", path.encode(), headers)
    assert answer is not None
    assert answer.headers["x-request-id"].startswith("req_")
    assert len(answer.headers["x-request-id"]) == 30
    if answer.status >= 400:
        assert json.loads(answer.body)["error"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("value", [b"a\x00b", b"a\x1b[31mb", b"a\x7fb", b"\x01"])
def test_a_request_id_with_control_characters_never_comes_back(home: Client, value: bytes) -> None:
    headers = [("X-Request-ID", value), ("Authorization", f"Bearer {home.key}".encode())]
    answer = ask(home.base_url, "GET", ONE.encode(), headers)
    assert answer is not None
    assert answer.status < 500
    assert value.decode() not in answer.headers.get("x-request-id", "")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *((method, MANY, other) for method in ("PUT", "PATCH", "DELETE") for other in ("GET", "POST")),
        *((method, ONE, other) for method in ("PUT", "POST") for other in ("GET", "PATCH", "DELETE")),
        *((method, LINK, "POST") for method in ("GET", "PUT", "PATCH", "DELETE")),
        *((method, TIE, "DELETE") for method in ("GET", "PUT", "PATCH", "POST")),
        *((method, path, "GET") for path in (MATTER, TAGS) for method in ("POST", "PUT", "PATCH", "DELETE")),
        *((method, FOLDERS, other) for method in ("POST", "PUT", "DELETE") for other in ("GET", "PATCH")),
        *((method, UPLOAD, "POST") for method in ("PUT", "PATCH", "DELETE")),
        *((method, KEYS, other) for method in ("PUT", "PATCH", "DELETE") for other in ("GET", "POST")),
        *((method, KEY, "DELETE") for method in ("GET", "PUT", "POST", "PATCH")),
        *((method, USAGE, "GET") for method in ("POST", "PUT", "PATCH", "DELETE")),
        *((method, "/health/live", "GET") for method in ("POST", "DELETE")),
        *(("POST", path, "GET") for path in ("/health/ready", "/openapi.json", "/docs")),
    ],
)
def test_another_method_is_405_with_allow(home: Client, method: str, path: str, allowed: str) -> None:
    answer = home.request(method, path)
    allow = {name.strip() for name in answer.headers["Allow"].split(",")}
    error_of(answer, 405, "method_not_allowed")
    assert allowed in allow
    assert method not in allow


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v1", "/v1/", "/v2/documents", "/v1/documents/a/b/c", "/admin", "/v1/matters", "/v1/matters/x"),
        *("/v1/tags/x", "/v1/folders/x", f"{ONE}/link/x/y", f"{MATTER}/x", "/v1/matter/x/documents"),
    ],
)
def test_an_unknown_route_is_404_in_the_envelope(home: Client, path: str) -> None:
    error_of(home.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing"])
def test_an_unknown_route_without_a_key_is_404_or_asks_for_one(tenants: Tenants, path: str) -> None:
    assert tenants.connect(None).get(path).status_code in {401, 404}


@pytest.mark.parametrize(
    "payload",
    [
        b"FOO /v1/documents HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 70_000),
        b"nonsense\r\n\r\n",
    ],
    ids=["unknown method", "negative length", "endless address", "no HTTP"],
)
def test_what_is_no_request_at_all_is_refused_in_the_envelope_too(home: Client, payload: bytes) -> None:
    answer = send(home.base_url, payload)
    assert answer is not None
    assert answer.status == 400
    error = json.loads(answer.body)["error"]
    assert error["code"] == "validation_error"
    assert answer.headers["x-request-id"] == error["request_id"]
