"""What holds for every operation: permission, authentication, ids, methods, and the headers of every answer."""

import itertools
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from .client import (
    RATE_HEADERS,
    UNKNOWN_DOCUMENT_ID,
    Client,
    error_of,
    without_request_id,
    wrong_fields,
)
from .documents import DOCUMENTS, FOLDERS, NO_UUID, TAGS, document_path, linked_entity, listed
from .keys import PERMISSIONS, mint, minted, on_the_wire, revoke, unknown_key
from .operations import (
    CREATE,
    DELETE,
    LINK,
    METHODS,
    MINT,
    OF_A_RECORD,
    OPERATIONS,
    PATCH,
    SIGN_UPLOAD,
    UPLOAD_URL,
    Operation,
    described,
)
from .service import eventually
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
SUBSETS = [set(some) for size in range(1, 5) for some in itertools.combinations(PERMISSIONS, size)]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
each_set_of_permissions = pytest.mark.parametrize("granted", SUBSETS, ids=lambda granted: "+".join(sorted(granted)))


@pytest.fixture(scope="module")
def metered(tenants: Tenants, manager: Client) -> Client:
    """An API key of the manager's workspace whose requests are counted."""
    return tenants.client(manager.workspace, *PERMISSIONS, tier="high")


@pytest.fixture(scope="module")
def anonymous(tenants: Tenants) -> Client:
    return tenants.connect(None)


def test_the_table_has_every_operation_with_all_that_it_reads(tenants: Tenants) -> None:
    table = {str(each): (set(each.members), set(each.parameters), set(each.headers)) for each in OPERATIONS}
    assert table == described(tenants.connect(None).get("/openapi.json").json())


# Permission


@each_set_of_permissions
def test_an_operation_is_open_exactly_to_its_permission(tenants: Tenants, manager: Client, granted: set[str]) -> None:
    """The permission is judged before the Idempotency-Key, the body, the ids and the query."""
    key = minted(manager, permissions=sorted(granted), rate_limit_tier="unmetered")
    client = tenants.connect(key["key"])
    for operation in OPERATIONS:
        path = f"{operation.unknown_path}?page=0&download=2&hard=2"
        body = b"\xff" if operation.members else None
        answer = client.request(operation.method, path, content=body, headers=NO_UUID)
        if operation.permission in granted:
            assert answer.status_code != 403, operation
        else:
            message = error_of(answer, 403, "insufficient_permissions")["message"]
            assert [name for name in PERMISSIONS if name in message] == [operation.permission], operation
            assert all(answer.headers[name].isdigit() for name in RATE_HEADERS)


@each_operation
def test_the_permission_of_an_operation_is_enough(tenants: Tenants, manager: Client, operation: Operation) -> None:
    api_key = minted(manager, permissions=[operation.permission], rate_limit_tier="unmetered")
    answer = operation.call(manager).send(tenants.connect(api_key["key"]))
    assert answer.status_code == operation.success, answer.text


# Authentication


@pytest.fixture(scope="module")
def refused_credentials(manager: Client) -> dict[str, str]:
    """Values of Authorization that no API key answers to, by the reason. None at all is the empty one."""
    expired, revoked = minted(manager, expires_at=on_the_wire(2)), minted(manager)
    assert revoke(manager, revoked["id"]).status_code == 204
    good = manager.key or ""
    mistyped = good[:-1] + ("0" if good[-1] != "0" else "1")
    # A revocation holds within a second, and an expiry in its second.
    eventually(lambda: on_the_wire(-1) > expired["expires_at"], 5, "the expiry of the API key")
    return {
        "missing": "",
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "empty": "Bearer",
        "malformed": "Bearer nonsense",
        "two words": f"Bearer {good} x",
        "cut off": f"Bearer {good[:-1]}",
        "mistyped": f"Bearer {mistyped}",
        "unknown": f"Bearer {unknown_key()}",
        "revoked": f"Bearer {revoked['key']}",
        "expired": f"Bearer {expired['key']}",
    }


def same_401(answer: httpx.Response, missing: httpx.Response) -> None:
    error_of(answer, 401, "invalid_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert without_request_id(answer) == without_request_id(missing)
    assert set(answer.headers) == set(missing.headers)
    assert not any(name in answer.headers for name in RATE_HEADERS)


def test_the_401s_are_identical_whatever_is_wrong(anonymous: Client, refused_credentials: dict[str, str]) -> None:
    missing = anonymous.get(UNKNOWN_DOCUMENT)
    for value in refused_credentials.values():
        same_401(anonymous.get(UNKNOWN_DOCUMENT, {"Authorization": value} if value else {}), missing)


def test_every_operation_asks_for_an_api_key_in_the_same_words(
    anonymous: Client, refused_credentials: dict[str, str]
) -> None:
    """The API key is judged before the Idempotency-Key, the body, the ids and the query."""
    missing = anonymous.get(UNKNOWN_DOCUMENT)
    for number, operation in enumerate(OPERATIONS):
        path, body = f"{operation.unknown_path}?page=0&download=2", b"\xff" * 70_000 if operation.members else None
        same_401(anonymous.request(operation.method, path, content=body, headers=NO_UUID), missing)
        # Sixty wrong API keys a minute are answered 401, those of all tests of this server together.
        if number % 3 == 0:
            headers = {"Authorization": refused_credentials["revoked"]}
            same_401(anonymous.request(operation.method, path, headers=headers), missing)


# Ids

MALFORMED_IDS = [
    *("x", "doc_", "doc_1", "DOC_01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    *("doc_01ARZ3NDEKTSV4RRFFQ69G5FAVX", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAU", "doc_81ARZ3NDEKTSV4RRFFQ69G5FAV"),
    *("doc_01arz3ndektsv4rrffq69g5fav", "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV", "doc_01ARZ3NDEKTSV4RRFFQ69G5FA%00"),
    *("%00", "%ff", "%2e%2e", "%2e%2e%2fdocuments", "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV%20", "x" * 3000),
    *("doc_01ARZ3NDEKTSV4RRFFQ69G5FAV%0a", "%F0%9F%93%84", "'%20OR%201=1", "0", "null", "*", "1e309"),
]


@pytest.mark.parametrize("operation", OF_A_RECORD, ids=str)
def test_foreign_absent_and_malformed_ids_are_answered_alike(
    manager: Client, stranger: Client, operation: Operation
) -> None:
    """The foreign record is as it was: its owner can still do with it what was refused."""
    theirs = operation.call(stranger)
    own_id = theirs.path.split("/")[3]
    paths = [theirs.path, theirs.path.replace(own_id, own_id.lower())]
    paths += [
        operation.path.format(document_id=malformed, link_id=malformed, key_id=malformed) for malformed in MALFORMED_IDS
    ]
    variants: list[dict[str, str]] = [{}]
    if "If-Match" in operation.headers:
        variants += [{"If-Match": "*"}, {"If-Match": '"1"'}, {"If-Match": '"9"'}]
    if operation.is_idempotent:
        variants.append({"Idempotency-Key": "7c9e6679-7425-40de-944b-e07fc1f90ae7"})
    for headers, query in itertools.product(variants, ["", *(f"?{name}=true" for name in operation.parameters)]):
        absent = replace(theirs, path=operation.unknown_path + query).send(manager, headers)
        error_of(absent, 404, "not_found")
        for path in paths:
            answer = replace(theirs, path=path + query).send(manager, headers)
            assert answer.status_code == 404, path
            assert without_request_id(answer) == without_request_id(absent), path
            assert set(answer.headers) == set(absent.headers), path
            assert own_id not in answer.text
    assert theirs.send(stranger).status_code == operation.success


def test_no_list_shows_what_another_workspace_has(tenants: Tenants, stranger: Client) -> None:
    document = stranger.recorded(folder="/theirs/a", tags=["theirs"], name="theirs.txt")
    linked_entity(stranger, document["id"], entity_id="theirs", role="secret")
    empty = tenants.client()
    for address in (
        *(f"{DOCUMENTS}?{query}" for query in ("", "search=theirs", "tag=theirs", "cursor=7" + "Z" * 25)),
        *("/v1/matters/theirs/documents", FOLDERS, f"{FOLDERS}?parent=/theirs", TAGS),
    ):
        path, _, query = address.partition("?")
        body = listed(empty, query, path)
        assert ([*body["data"].values()], body["meta"]["total"]) == ([[]], 0), address


# Methods and routes

KEYLESS = ["/health/live", "/health/ready", "/openapi.json", "/docs"]


@pytest.mark.parametrize("path", [*METHODS, *KEYLESS])
def test_another_method_is_405_and_options_names_those_there_are(home: Client, path: str) -> None:
    address = path.format_map({"document_id": UNKNOWN_DOCUMENT_ID, "link_id": "x", "key_id": "x", "entity_id": "x"})
    own = METHODS.get(path, {"GET"})
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - own:
        if path == UPLOAD_URL and method in METHODS[DELETE.path]:
            continue  # There `upload-url` is the id of a document.
        answer = home.request(method, address)
        error_of(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == own | {"OPTIONS"}, method
    if path in METHODS:
        answer = home.request("OPTIONS", address)
        assert (answer.status_code, set(answer.headers["Allow"].split(", ")) - {"HEAD"}) == (204, own | {"OPTIONS"})


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/", "/v2/documents", "/v1/documents/a/b/c", "/admin", "/v1/matters", "/v1/matters/x"),
        *("/v1/tags/x", "/v1/folders/x", f"{UNKNOWN_DOCUMENT}/link/x/y", "/v1/matters/x/documents/x"),
        *("/v1/matter/x/documents", "/v1/people/x/documents", "/v1/nothing"),
    ],
)
def test_an_unknown_route_is_the_404_of_an_unknown_document(home: Client, anonymous: Client, path: str) -> None:
    answer = home.get(path)
    error_of(answer, 404, "not_found")
    assert without_request_id(answer) == without_request_id(home.get(UNKNOWN_DOCUMENT))
    assert anonymous.get(path).status_code in {401, 404}


# The envelope and the headers of every answer, which Client.request checks on each


def refusals(operation: Operation, client: Client) -> list[tuple[int, dict[str, Any]]]:
    """Return requests that an operation refuses, as arguments of Client.request, with their status."""
    path, json_type = operation.unknown_path, {"Content-Type": "application/json"}
    wrong: list[tuple[int, dict[str, Any]]] = [(405, {"method": "PUT"})]
    if operation.members:
        wrong += [(400, {"content": content, "headers": json_type}) for content in (b"{", b'{"unknown":1}')]
        wrong.append((413, {"content": b" " * 70_000, "headers": json_type}))
        wrong.append((415, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}))
    if operation.is_idempotent:
        wrong.append((400, {"headers": NO_UUID | json_type}))
    if "If-Match" in operation.headers:
        wrong.append((400, {"headers": {"If-Match": "x"} | json_type, "content": b'{"name":"b"}'}))
    wrong += [(400, {"path": f"{path}?{name}=-1"}) for name in {"page", "download", "hard"} & set(operation.parameters)]
    if operation.names_a_record:
        body = operation.call(client).body
        wrong.append((404, {"content": json.dumps(body) if body else None, "headers": json_type}))
    return [(status, {"method": operation.method, "path": path} | sent) for status, sent in wrong]


@each_operation
def test_every_answer_to_an_api_key_has_a_request_id_and_the_rate_headers(
    manager: Client, metered: Client, operation: Operation
) -> None:
    answers = [(operation.success, operation.call(manager).send(metered))]
    for status, sent in refusals(operation, manager):
        answers.append((status, metered.request(**sent)))
    for status, answer in answers:
        assert answer.status_code == status, (answer.request, answer.text)
        assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) < int(answer.headers["X-RateLimit-Limit"]) == 2000
    assert len({answer.headers["X-Request-ID"] for _, answer in answers}) == len(answers)


def test_a_conflict_and_a_failed_precondition_have_them_too(manager: Client, metered: Client) -> None:
    create, link = CREATE.call(manager), LINK.call(manager)
    assert (create.send(metered).status_code, create.send(metered).status_code) == (201, 409)
    assert (link.send(metered).status_code, link.send(metered).status_code) == (201, 200)
    error_of(mint(metered, name=minted(manager)["name"]), 409, "duplicate_name")
    for operation in (PATCH, DELETE):
        error_of(operation.call(manager).send(metered, {"If-Match": '"9"'}), 412, "precondition_failed")
    too_large = {"name": "a", "mime_type": "a/b", "size_bytes": 2**40}
    error_of(metered.post(SIGN_UPLOAD.path, too_large), 413, "payload_too_large")


# The order of the checks, and the names of what is wrong

WRONG_PARAMETERS = {
    "page": ["0", "-1", "x", "1.5", "", "%EF%BC%91", "1000000001", "1&page=1"],
    "per_page": ["0", "101", "x", "", "1&per_page=1"],
    "folder": ["", "a", "/a//b", "/..", "/a%00", "/a" * 21, "/a&folder=/a"],
    "parent": ["", "a", "/a//b", "/..", "/a%00", "/a&parent=/b"],
    "recursive": ["", "2", "TRUE", "null", "true,false", "false"],  # false needs a folder
    "tag": ["", "%20", "x" * 65, "a%0Ab", "&tag=".join(f"t{number}" for number in range(51))],
    "mime_type": ["", "pdf", "*/*", "a/b&mime_type=a/b"],
    "search": ["a&search=a"],  # tests/domain/test_lists.py has those of documents alone
    "created_after": [
        *("", "yesterday", "2026-02-30", "20260101", "1776422700", "2026-04-17T10:45:00", "2026-04-17T24:00:00Z"),
        *("2026-04-17T10:45:00+02:00", "9999-12-31T23:59:59-23:59", "2026-04-17&created_after=2026-04-17"),
    ],
    "cursor": ["", "x", UNKNOWN_DOCUMENT_ID, "8" + "0" * 25, "%00", f"{'0' * 26}&cursor={'0' * 26}"],
    "role": ["", "x" * 65, "a%0Ab", "a&role=a"],
    "download": ["", "2", "TRUE", "null", "true&download=true"],
    "hard": ["", "2", "yes", "TRUE", "null", "true,", "%ff", "true&hard=true"],
    "include_revoked": ["", "2", "TRUE", "true&include_revoked=true"],
}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.parameters], ids=str)
def test_every_wrong_parameter_is_named_alone_and_with_the_others(manager: Client, operation: Operation) -> None:
    for name in operation.parameters:
        for value in WRONG_PARAMETERS[name]:
            answer = manager.request(operation.method, f"{operation.unknown_path}?{name}={value}")
            assert wrong_fields(answer) == {name}, value
    names = set(operation.parameters) - {"search"}
    query = "&".join(f"{name}={WRONG_PARAMETERS[name][0]}" for name in names)
    assert wrong_fields(manager.request(operation.method, f"{operation.unknown_path}?{query}")) == names


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.members], ids=str)
def test_every_wrong_and_every_unknown_member_is_named_alone_and_with_the_others(
    manager: Client, operation: Operation
) -> None:
    call = operation.call(manager)
    for name in (*operation.members, "unknown", "id", operation.members[0].title(), ""):
        changed = replace(call, body=(call.body or {}) | {name: {"a": "b"}})
        assert wrong_fields(changed.send(manager)) == {name}
    wrong = dict.fromkeys((*operation.members, "unknown"), True)
    assert wrong_fields(replace(call, body=wrong).send(manager)) == set(wrong)
    assert call.send(manager).status_code == operation.success


@each_operation
def test_the_idempotency_key_is_checked_before_if_match_and_both_before_the_rest_of_the_request(
    manager: Client, operation: Operation
) -> None:
    """Each request is wrong in all later ways too. An unknown id is reported last."""
    path = f"{operation.unknown_path}?page=0&download=2&hard=2"
    wrong = {"Idempotency-Key": "no uuid", "If-Match": "1"}
    for name in [name for name in wrong if name in operation.headers]:
        for body in (b"{}", b"\xff", b" " * 70_000) if operation.members else (None,):
            answer = manager.request(operation.method, path, content=body, headers=wrong)
            assert wrong_fields(answer) == {name}
        del wrong[name]


def test_the_members_are_judged_before_the_permissions_that_are_asked_for(tenants: Tenants, manager: Client) -> None:
    giver = tenants.connect(minted(manager, permissions=[MINT.permission], rate_limit_tier="unmetered")["key"])
    assert wrong_fields(mint(giver, name="", permissions=["read:documents"])) == {"name"}
