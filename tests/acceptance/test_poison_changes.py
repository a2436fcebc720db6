"""No poison value anywhere is a 5xx, where documents are listed, changed, deleted, linked and moved."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, Client, with_member
from .documents import (
    DOCUMENTS,
    FOLDERS,
    TAGS,
    deleted,
    document_path,
    etag_of,
    ids,
    link_entity,
    linked_entity,
    listed,
)
from .poison import HEADER_VALUES, JSON_VALUES, SEGMENTS, TEXTS, unharmed
from .raw import ask
from .tenants import Tenants

ONE = document_path(UNKNOWN_DOCUMENT_ID)
LINK, TIE, MATTER = f"{ONE}/link", f"{ONE}/link/{UNKNOWN_LINK_ID}", "/v1/matters/x/documents"
CHANGE = {"name": "a"}
TO_MATTER = {"entity_type": "matter", "entity_id": "x"}
MOVE = {"from": "/a", "to": "/b"}


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    return tenants.client("", "read:documents", "write:documents", "admin:documents")


@pytest.fixture(scope="module")
def document_id(owner: Client) -> str:
    """There, so that what the rules let through reaches the database."""
    made: str = owner.recorded(folder="/a/b", tags=["t"], description="d")["id"]
    linked_entity(owner, made, entity_id="x")
    return made


def all_in(statuses: set[int], call: Callable[[Any], httpx.Response], values: Iterable[Any]) -> None:
    """Call with every value, a few at a time."""
    values = list(values)
    with ThreadPoolExecutor(4) as pool:
        for value, answer in zip(values, pool.map(call, values), strict=True):
            assert answer.status_code in statuses, f"{value[:80]!r}: {answer.status_code} {answer.text[:200]}"


def test_there_are_more_than_150_values() -> None:
    assert len(set(TEXTS)) > 150
    assert len(set(JSON_VALUES)) + len(set(HEADER_VALUES)) + len(set(SEGMENTS)) > 150


@pytest.mark.parametrize("member", ["name", "description", "folder", "tags", "unknown", "mime_type"])
def test_no_value_of_a_member_of_a_change_is_a_5xx(owner: Client, document_id: str, member: str) -> None:
    def call(value: str) -> httpx.Response:
        return owner.patch(document_path(document_id), with_member(CHANGE, member, value))

    all_in({200, 400, 413}, call, JSON_VALUES)


@pytest.mark.parametrize("member", ["entity_type", "entity_id", "role", "unknown"])
def test_no_value_of_a_member_of_a_link_is_a_5xx(owner: Client, document_id: str, member: str) -> None:
    def call(value: str) -> httpx.Response:
        return owner.post(f"{document_path(document_id)}/link", with_member(TO_MATTER, member, value))

    all_in({200, 201, 400, 413}, call, JSON_VALUES)


@pytest.mark.parametrize("member", ["from", "to", "unknown"])
def test_no_value_of_a_member_of_a_move_is_a_5xx(owner: Client, document_id: str, member: str) -> None:
    def call(value: str) -> httpx.Response:
        return owner.patch(FOLDERS, with_member(MOVE, member, value))

    all_in({200, 400, 409, 413}, call, JSON_VALUES)


@pytest.mark.parametrize(("method", "body"), [("PATCH", CHANGE), ("POST", TO_MATTER), ("MOVE", MOVE)])
def test_no_value_as_the_body_or_as_the_name_of_a_member_is_a_5xx(
    owner: Client, document_id: str, method: str, body: dict[str, str]
) -> None:
    path = {"PATCH": document_path(document_id), "POST": f"{document_path(document_id)}/link", "MOVE": FOLDERS}[method]
    send = owner.post if method == "POST" else owner.patch
    whole = json.dumps(body)
    names = [f"{whole[:-1]},{value}:1}}" for value in JSON_VALUES if value.startswith('"')]
    texts = [value for value in JSON_VALUES if value != "{}"]  # a change of nothing
    all_in({400, 413}, lambda text: send(path, text.encode()), texts + names)


PARAMETERS = [
    *(
        (DOCUMENTS, name)
        for name in ("folder", "tag", "mime_type", "search", "created_after", "cursor", "page", "per_page")
    ),
    *((f"{DOCUMENTS}?folder=/a&", "recursive"), (f"{DOCUMENTS}?tag=t&search=a&", "unknown")),
    *((MATTER, name) for name in ("role", "page", "per_page")),
    *((FOLDERS, name) for name in ("parent", "page")),
    (TAGS, "per_page"),
]


@pytest.mark.parametrize(("path", "name"), PARAMETERS)
def test_no_value_of_a_parameter_is_a_5xx(owner: Client, document_id: str, path: str, name: str) -> None:
    address = path if "?" in path else f"{path}?"
    all_in({200, 400}, lambda text: owner.get(f"{address}{name}={text}"), TEXTS)


def test_no_value_of_hard_is_a_5xx_and_none_but_a_flag_deletes(owner: Client, document_id: str) -> None:
    flags = {"true", "false", "1", "0"}
    texts = [text for text in TEXTS if text not in flags]
    all_in({400}, lambda text: owner.delete(f"{document_path(document_id)}?hard={text}"), texts)
    assert owner.get(document_path(document_id)).status_code == 200


@pytest.mark.parametrize(
    "segments",
    [
        *(
            ("/v1/matters/", "/documents"),
            (f"{DOCUMENTS}/", "/link"),
            (f"{LINK}/", ""),
            (f"{DOCUMENTS}/", f"/link/{UNKNOWN_LINK_ID}"),
        ),
        *(("/v1/", "/x/documents"), (FOLDERS, ""), (TAGS, ""), (f"{FOLDERS}?parent=", "")),
    ],
    ids=str,
)
def test_no_path_is_a_5xx(owner: Client, document_id: str, segments: tuple[str, str]) -> None:
    headers = [("Authorization", f"Bearer {owner.key}".encode())]
    before, after = (part.encode() for part in segments)
    method = {"/link": "POST"}.get(segments[1], "DELETE" if "/link" in "".join(segments) else "GET")

    def send(segment: bytes) -> None:
        unharmed(owner, method, before + segment + after, headers, b"{}" if method == "POST" else None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, SEGMENTS))


@pytest.mark.parametrize("before", ["/v1/matters/", "/v1/contacts/"])
def test_no_value_as_the_id_of_a_thing_is_a_5xx(owner: Client, before: str) -> None:
    texts = [text for text in TEXTS if text]
    all_in({200, 400, 404}, lambda text: owner.get(f"{before}{text.replace('/', '%2F')}/documents"), texts)


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        *(("PATCH", ONE, "If-Match"), ("DELETE", ONE, "If-Match"), ("DELETE", ONE, "Idempotency-Key")),
        *(("POST", LINK, "Idempotency-Key"), ("DELETE", TIE, "Idempotency-Key"), ("PATCH", FOLDERS, "If-Match")),
        *(("PATCH", ONE, "Content-Type"), ("POST", LINK, "Content-Type"), ("GET", DOCUMENTS, "X-Request-ID")),
    ],
)
def test_no_value_of_a_header_is_a_5xx(owner: Client, method: str, path: str, header: str) -> None:
    bodies = {ONE: CHANGE, LINK: TO_MATTER, FOLDERS: MOVE}
    body = json.dumps(bodies[path]).encode() if method in {"PATCH", "POST"} else None

    def send(value: bytes) -> None:
        headers = [("Authorization", f"Bearer {owner.key}".encode()), (header, value)]
        if header != "Content-Type":
            headers.append(("Content-Type", b"application/json"))
        unharmed(owner, method, path.encode(), headers, body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, HEADER_VALUES))


def test_no_poisoned_if_match_changes_or_deletes_what_is_there(owner: Client) -> None:
    document_id = owner.recorded()["id"]
    etag = etag_of(owner, document_id)
    key = ("Authorization", f"Bearer {owner.key}".encode())
    for value in HEADER_VALUES:
        if value.strip() == b"*":
            continue
        for method, body in (("PATCH", b'{"name":"b"}'), ("DELETE", None)):
            headers = [key, ("Content-Type", b"application/json"), ("If-Match", value)]
            answer = ask(owner.base_url, method, document_path(document_id).encode(), headers, body)
            assert answer is not None
            assert answer.status in {400, 412}, (method, value)
    assert etag_of(owner, document_id) == etag
    deleted(owner, document_id)


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "PUT", "QUERY", "LINK", "UNLINK", "MOVE", "patch", "FOO"]
)
def test_no_method_is_a_5xx(owner: Client, method: str) -> None:
    headers = [("Authorization", f"Bearer {owner.key}".encode())]
    for route in (DOCUMENTS, ONE, LINK, TIE, MATTER, FOLDERS, TAGS):
        answer = ask(owner.base_url, method, route.encode(), headers, b"")
        assert answer is not None
        assert answer.status < 500


def test_after_all_that_what_was_let_through_is_read_and_listed_and_can_be_deleted(
    owner: Client, document_id: str
) -> None:
    assert link_entity(owner, document_id, entity_type="task").status_code in {200, 201}
    assert document_id in ids(owner)
    for path in (FOLDERS, TAGS, MATTER):
        listed(owner, "per_page=100", path)
    assert owner.storage("GET", owner.download_url(document_id)).content == b"hello"
    deleted(owner, document_id)
