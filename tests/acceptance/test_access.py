"""Who may call what: keys, permissions, and the order in which a call is judged."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from .client import (
    UNKNOWN_API_KEY_ID,
    UNKNOWN_DOCUMENT_ID,
    UNKNOWN_LINK_ID,
    Client,
    data_of,
    error_of,
    without_request_id,
    wrong_fields,
)
from .documents import COLLECTIONS
from .keys import KEYS, unknown_key
from .service import eventually
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
GOOD = {"name": "a.txt", "mime_type": "text/plain"}
BAD_IDEMPOTENCY = {"Idempotency-Key": "no uuid"}


@dataclass(frozen=True)
class Strangers:
    """Keys that open nothing, by the reason."""

    by_reason: dict[str, str]


@pytest.fixture(scope="module")
def strangers(tenants: Tenants, home: Client) -> Strangers:
    expiry = datetime.now(UTC) + timedelta(seconds=6)
    expired = tenants.api_key(home.workspace, expires_at=expiry.strftime("%Y-%m-%dT%H:%M:%SZ"))
    revoked = tenants.api_key(home.workspace)
    tenants.cli.ask("keys", "revoke", revoked.id)
    good = home.key or ""
    typo = good[:-1] + ("0" if good[-1] != "0" else "1")
    # Revocation holds within a second, and an expiry in its second.
    eventually(lambda: datetime.now(UTC) > expiry + timedelta(seconds=1), 8, "the key's expiry")
    return Strangers(
        {
            "missing": "",
            "no scheme": good,
            "another scheme": f"Basic {good}",
            "empty": "Bearer",
            "malformed": "Bearer nonsense",
            "two words": f"Bearer {good} x",
            "cut off": f"Bearer {good[:-1]}",
            "mistyped": f"Bearer {typo}",
            "unknown": f"Bearer {unknown_key(good)}",
            "revoked": f"Bearer {revoked.key}",
            "expired": f"Bearer {expired.key}",
        }
    )


def call(anonymous: Client, authorization: str) -> httpx.Response:
    return anonymous.get(ONE, {"Authorization": authorization} if authorization else {})


@pytest.fixture(scope="module")
def anonymous(tenants: Tenants) -> Client:
    return tenants.connect(None)


@pytest.fixture(scope="module")
def writer(tenants: Tenants, home: Client) -> Client:
    return tenants.client(home.workspace, "write:documents")


@pytest.fixture(scope="module")
def admin(tenants: Tenants, home: Client) -> Client:
    return tenants.client(home.workspace, "admin:documents", "admin:api_keys")


# Sixty wrong keys a minute are answered 401, all tests of this server together; none at all costs nothing.
WITH_WRONG_KEYS = [
    *(("POST", "/v1/documents"), ("GET", "/v1/documents"), ("GET", ONE), ("PATCH", ONE), ("POST", KEYS)),
    *(("GET", "/v1/tags"), ("GET", "/v1/usage")),
]
WITHOUT_A_KEY = [
    *(("POST", "/v1/documents/upload-url"), ("DELETE", ONE), ("DELETE", f"{ONE}?hard=true")),
    *(
        ("POST", f"{ONE}/link"),
        ("DELETE", f"{ONE}/link/{UNKNOWN_LINK_ID}"),
        ("GET", "/v1/folders"),
        ("PATCH", "/v1/folders"),
    ),
    *(("GET", KEYS), ("DELETE", f"{KEYS}/{UNKNOWN_API_KEY_ID}")),
    *(("GET", f"/v1/{collection}/x/documents") for collection in COLLECTIONS.values()),
]


def test_all_401s_are_identical_but_for_the_request_id(anonymous: Client, strangers: Strangers) -> None:
    answers = {why: call(anonymous, value) for why, value in strangers.by_reason.items()}
    for why, answer in answers.items():
        error_of(answer, 401, "invalid_key")
        assert answer.headers["WWW-Authenticate"] == "Bearer", why
        assert without_request_id(answer) == without_request_id(answers["missing"]), why
        assert set(answer.headers) == set(answers["missing"].headers), why


@pytest.mark.parametrize(
    ("method", "path", "why"),
    [
        *((*route, why) for route in WITH_WRONG_KEYS for why in ("missing", "mistyped", "revoked")),
        *((*route, "missing") for route in WITHOUT_A_KEY),
    ],
)
def test_every_route_asks_for_a_key_in_the_same_words(
    anonymous: Client, strangers: Strangers, method: str, path: str, why: str
) -> None:
    value, missing = strangers.by_reason[why], call(anonymous, "")
    answer = anonymous.request(method, path, headers={"Authorization": value} if value else {})
    error_of(answer, 401, "invalid_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert without_request_id(answer) == without_request_id(missing)
    assert set(answer.headers) == set(missing.headers)


def test_a_key_comes_before_everything_else(anonymous: Client) -> None:
    error_of(
        anonymous.post("/v1/documents", b"\xff", {**BAD_IDEMPOTENCY, "Content-Type": "x/y"}),
        401,
        "invalid_key",
    )
    error_of(anonymous.post("/v1/documents", b" " * 70_000), 401, "invalid_key")
    error_of(anonymous.get("/v1/documents/x?download=2"), 401, "invalid_key")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/upload-url"])
def test_writing_needs_write_documents(reader: Client, admin: Client, path: str) -> None:
    for client in (reader, admin):
        error = error_of(client.post(path, GOOD), 403, "insufficient_permissions")
        assert "write:documents" in error["message"]


def test_reading_needs_read_documents(home: Client, writer: Client, admin: Client) -> None:
    document = home.recorded()
    for client in (writer, admin):
        error = error_of(client.get(f"/v1/documents/{document['id']}"), 403, "insufficient_permissions")
        assert "read:documents" in error["message"]


def test_each_permission_is_enough_for_its_own_verb(home: Client, writer: Client, reader: Client) -> None:
    document = writer.recorded()
    assert data_of(reader.get(f"/v1/documents/{document['id']}"), 200)["id"] == document["id"]


def test_permission_comes_before_the_idempotency_key_and_the_body(reader: Client, stored: str) -> None:
    for body in (b"", b"\xff", b"{}", b" " * 70_000):
        error_of(reader.post("/v1/documents", body, BAD_IDEMPOTENCY), 403, "insufficient_permissions")
    for answer in (reader.post("/v1/documents", b"{}", {"Content-Type": "x/y"}), reader.record(stored)):
        error_of(answer, 403, "insufficient_permissions")


def test_permission_comes_before_the_id_and_the_query(writer: Client) -> None:
    for path in (UNKNOWN_DOCUMENT_ID, "nonsense", f"{UNKNOWN_DOCUMENT_ID}?download=2"):
        error_of(writer.get(f"/v1/documents/{path}"), 403, "insufficient_permissions")


def test_the_idempotency_key_comes_before_the_body(home: Client) -> None:
    for body in (b"{}", b"\xff", b'{"name":""}'):
        fields = wrong_fields(home.post("/v1/documents", body, BAD_IDEMPOTENCY))
        assert fields.isdisjoint({"name", "mime_type", "storage_path"})
        assert any("idempotency" in name.lower() for name in fields)


@pytest.mark.parametrize(
    "malformed",
    [
        *("x", "doc_", "doc_1"),
        *("DOC_01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAVX"),
        *("doc_01ARZ3NDEKTSV4RRFFQ69G5FAU", "doc_81ARZ3NDEKTSV4RRFFQ69G5FAV"),
        *("doc_01arz3ndektsv4rrffq69g5fav", "doc_", "doc_1"),
        *("ws_01ARZ3NDEKTSV4RRFFQ69G5FAV", "doc_01ARZ3NDEKTSV4RRFFQ69G5FA%00", "%00"),
        *("%ff", "%2e%2e", "%2e%2e%2fdocuments"),
        *("doc_01ARZ3NDEKTSV4RRFFQ69G5FAV%20", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV%0a", "%F0%9F%93%84"),
        *("'%20OR%201=1", "x" * 3000),
        *("0", "-1", "null", "None", "*", "1e309", "%5Bobject%20Object%5D"),
    ],
)
def test_a_malformed_id_is_answered_as_an_absent_one(home: Client, malformed: str) -> None:
    absent, answer = home.get(ONE), home.get(f"/v1/documents/{malformed}")
    error_of(answer, 404, "not_found")
    assert without_request_id(answer) == without_request_id(absent)


def test_foreign_absent_and_unknown_are_indistinguishable(home: Client, neighbour: Client) -> None:
    theirs = neighbour.recorded()["id"]
    absent = home.get(ONE)
    foreign = home.get(f"/v1/documents/{theirs}")
    unsigned = home.get(f"/v1/documents/{theirs}?download=false")
    unknown_route = home.get("/v1/nothing/here")
    error_of(absent, 404, "not_found")
    for answer in (foreign, unsigned, unknown_route):
        assert answer.status_code == 404
        assert without_request_id(answer) == without_request_id(absent)
    assert set(foreign.headers) == set(absent.headers)
    assert theirs not in foreign.text
    assert UNKNOWN_DOCUMENT_ID not in absent.text


def test_our_own_id_in_small_letters_is_nobodys(home: Client) -> None:
    error_of(home.get(f"/v1/documents/{home.recorded()['id'].lower()}"), 404, "not_found")
