"""The rules of every operation: permission, authentication, ids, methods, and the headers of every response."""

import itertools
from dataclasses import replace

import httpx
import pytest

from .client import RATE_HEADERS, UNKNOWN_DOCUMENT_ID, Client, error_of, without_request_id
from .documents import DOCUMENTS, FOLDERS, NO_UUID, TAGS, document_path, linked_entity, listed
from .keys import PERMISSIONS, minted, revoke, unknown_key
from .operations import (
    DELETE,
    METHODS,
    MINT,
    OF_A_RECORD,
    OPERATIONS,
    UPLOAD_URL,
    Operation,
    described,
)
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)


@pytest.fixture(scope="module")
def anonymous(tenants: Tenants) -> Client:
    return tenants.connect(None)


def test_the_table_of_operations_matches_the_openapi_document(tenants: Tenants) -> None:
    table = {str(each): (set(each.members), set(each.parameters), set(each.headers)) for each in OPERATIONS}
    assert table == described(tenants.connect(None).get("/openapi.json").json())


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_an_operation_is_allowed_only_with_its_permission(tenants: Tenants, manager: Client, permission: str) -> None:
    """The permission is checked before the Idempotency-Key, the body, the ids and the query."""
    others = [name for name in PERMISSIONS if name != permission]
    alone, without = (
        tenants.connect(minted(manager, permissions=granted, rate_limit_tier="unmetered")["key"])
        for granted in ([permission], others)
    )
    for operation in OPERATIONS:
        opened, refused = (alone, without) if operation.permission == permission else (without, alone)
        path = f"{operation.unknown_path}?page=0&download=2&hard=2"
        body = b"\xff" if operation.members else None
        answer = refused.request(operation.method, path, content=body, headers=NO_UUID)
        message = error_of(answer, 403, "insufficient_permissions")["message"]
        assert [name for name in PERMISSIONS if name in message] == [operation.permission], operation
        if (
            operation is not MINT or opened is alone
        ):  # no API key can create an API key with permissions that it lacks itself
            assert operation.call(manager).send(opened).status_code == operation.success, operation


@pytest.fixture(scope="module")
def refused_credentials(manager: Client) -> list[str]:
    """Return values of Authorization that identify no active API key. The empty one means that none is sent."""
    revoked = minted(manager)
    assert revoke(manager, revoked["id"]).status_code == 204
    good = manager.key or ""
    mistyped = good[:-1] + ("0" if good[-1] != "0" else "1")
    wrong_keys = ("nonsense", f"{good} x", good[:-1], mistyped, unknown_key(), revoked["key"])
    return ["", good, f"Basic {good}", "Bearer", *(f"Bearer {key}" for key in wrong_keys)]


def same_401(answer: httpx.Response, missing: httpx.Response) -> None:
    error_of(answer, 401, "invalid_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert without_request_id(answer) == without_request_id(missing)
    # The connection is closed after a large body that was not read.
    assert set(answer.headers) - {"connection"} == set(missing.headers)
    assert not any(name in answer.headers for name in RATE_HEADERS)


def test_every_401_is_identical_on_every_operation(anonymous: Client, refused_credentials: list[str]) -> None:
    """The API key is checked before the Idempotency-Key, the body, the ids and the query."""
    missing = anonymous.get(UNKNOWN_DOCUMENT)
    # Only sixty wrong API keys a minute are answered 401, and all tests of this server share them.
    credentials = itertools.cycle([*refused_credentials, *[""] * len(refused_credentials)])
    for operation, value in zip(OPERATIONS, credentials, strict=False):
        path, body = f"{operation.unknown_path}?page=0&download=2", b"\xff" * 70_000 if operation.members else None
        headers = NO_UUID | ({"Authorization": value} if value else {})
        same_401(anonymous.request(operation.method, path, content=body, headers=headers), missing)


MALFORMED_IDS = ["x", "doc_01arz3ndektsv4rrffq69g5fav", "x" * 3000, "%ff", "%2e%2e%2fdocuments", "%F0%9F%93%84", "%00"]


@pytest.mark.parametrize("operation", OF_A_RECORD, ids=str)
def test_foreign_absent_and_malformed_ids_get_one_404(manager: Client, stranger: Client, operation: Operation) -> None:
    """The record of the other workspace is unchanged: its owner can still send the request that was refused."""
    theirs = operation.call(stranger)
    own_id = theirs.path.split("/")[3]
    paths = [theirs.path, theirs.path.replace(own_id, own_id.lower())]
    paths += [
        operation.path.format(document_id=malformed, link_id=malformed, key_id=malformed) for malformed in MALFORMED_IDS
    ]
    headers = {"If-Match": '"9"', "If-None-Match": "*", "Idempotency-Key": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
    sent = {name: headers[name] for name in operation.headers}
    query = "".join(f"?{name}=true" for name in operation.parameters[:1])
    for variant, asked in (({}, ""), (sent, query)):
        absent = replace(theirs, path=operation.unknown_path + asked).send(manager, variant)
        error_of(absent, 404, "not_found")
        for path in paths:
            answer = replace(theirs, path=path + asked).send(manager, variant)
            assert answer.status_code == 404, path
            assert without_request_id(answer) == without_request_id(absent), path
            assert set(answer.headers) == set(absent.headers), path
            assert own_id not in answer.text
    assert theirs.send(stranger).status_code == operation.success


def test_no_list_shows_what_another_workspace_has(home: Client, stranger: Client) -> None:
    document = stranger.recorded(folder="/theirs/a", tags=["theirs"], name="theirs.txt")
    linked_entity(stranger, document["id"], entity_id="theirs", role="secret")
    for address in (
        *(f"{DOCUMENTS}?{query}" for query in ("search=theirs", "tag=theirs", "folder=/theirs")),
        *("/v1/matters/theirs/documents", f"{FOLDERS}?parent=/theirs"),
    ):
        path, _, query = address.partition("?")
        body = listed(home, query, path)
        assert ([*body["data"].values()], body["meta"]["total"]) == ([[]], 0), address
    assert "theirs" not in home.get(FOLDERS).text + home.get(TAGS).text


OPEN_PAGES = ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs")
ALLOWED = METHODS | {path: {"GET"} for path in OPEN_PAGES} | {"/storage/x": {"GET", "PUT"}}


@pytest.mark.parametrize("path", ALLOWED)
def test_another_method_is_405_and_options_lists_the_allowed_ones(home: Client, path: str) -> None:
    address = path.format_map({"document_id": UNKNOWN_DOCUMENT_ID, "link_id": "x", "key_id": "x", "entity_id": "x"})
    own = ALLOWED[path]
    allowed = own | {"OPTIONS"} | ({"HEAD"} if "GET" in own else set())
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} - own:
        if path == UPLOAD_URL and method in METHODS[DELETE.path]:
            continue  # With these methods, `upload-url` is the id of a document.
        answer = home.request(method, address)
        error_of(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed, method
    answer = home.request("OPTIONS", address)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (204, allowed)


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/", "/v2/documents", "/v1/documents/a/b/c", "/admin", "/v1/matters/x", "/v1/tags/x"),
        *(f"{UNKNOWN_DOCUMENT}/link/x/y", "/v1/matter/x/documents", "/v1/people/x/documents"),
    ],
)
def test_an_unknown_route_is_the_same_404_as_an_unknown_document(home: Client, anonymous: Client, path: str) -> None:
    answer = home.get(path)
    error_of(answer, 404, "not_found")
    assert without_request_id(answer) == without_request_id(home.get(UNKNOWN_DOCUMENT))
    assert anonymous.get(path).status_code in {401, 404}
