"""No input causes a 5xx. The tests send at least 150 hostile values at every position of every operation."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, with_member
from .documents import document_path, linked_entity
from .operations import (
    CREATE,
    DELETE,
    GET_DOCUMENT,
    LINK,
    OPERATIONS,
    PATCH,
    SIGN_UPLOAD,
    UNKNOWN,
    WITH_A_BODY,
    Operation,
)
from .poison import HEADER_VALUES, JSON_VALUES, SEGMENTS, TEXTS, unharmed

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
# One handler serves the document lists of all six entity types, so one of them is enough.
DISTINCT = [each for each in OPERATIONS if "{entity_id}" not in each.path or "/matters/" in each.path]
(ENTITY_DOCUMENTS,) = [each for each in DISTINCT if "/matters/" in each.path]
REPEATABLE = [PATCH, SIGN_UPLOAD, LINK]
"""Operations whose request can be sent again after it succeeded."""


@pytest.fixture(scope="module")
def document_id(manager: Client) -> str:
    """A document with a value in every member, so that the lists have rows."""
    made: str = manager.recorded(folder="/a/b", tags=["t"], description="d")["id"]
    linked_entity(manager, made, entity_id="x")
    return made


def at_once(call: Callable[[Any], None], values: Iterable[Any]) -> None:
    """Call with every value, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, values))


@pytest.mark.parametrize(
    ("operation", "member"),
    [(operation, member) for operation in WITH_A_BODY for member in (*operation.members, "unknown")],
    ids=str,
)
def test_no_member_value_member_name_or_body_is_a_5xx(manager: Client, operation: Operation, member: str) -> None:
    """The rest of the request is valid, so a value that the rules accept reaches the store and the database."""
    call = operation.call(manager)
    for value in JSON_VALUES:
        answer = manager.send(call.method, call.path, with_member(call.body or {}, member, value))
        assert answer.status_code in {operation.success, 200, 400, 403, 409, 413}, f"{value[:80]}: {answer.text[:200]}"
        if answer.is_success and operation not in REPEATABLE:
            call = operation.call(manager)
        if member == "unknown":
            whole = json.dumps(call.body)
            named = f"{whole[:-1]},{value}:1}}"
            for text in (value, named) if value != "{}" else (named,):
                answer = manager.send(call.method, call.path, text.encode())
                assert answer.status_code in {400, 413}, f"{text[:80]}: {answer.text[:200]}"


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [*((operation, name) for operation in DISTINCT for name in operation.parameters), (ENTITY_DOCUMENTS, "entity_id")],
    ids=str,
)
def test_no_value_of_a_parameter_is_a_5xx(
    manager: Client, document_id: str, operation: Operation, parameter: str
) -> None:
    # A deleted document would hide the other values of `hard`.
    known = UNKNOWN if operation is DELETE else UNKNOWN | {"document_id": document_id}
    path = operation.path.format_map(known)

    def send(text: str) -> None:
        address = f"{path}?{parameter}={text}"
        if parameter == "entity_id":
            address = operation.path.format(entity_id=text.replace("/", "%2F"))
        answer = manager.request(operation.method, address)
        assert answer.status_code in {200, 204, 400, 404, 409, 414, 415}, f"{text[:80]}: {answer.text[:200]}"

    at_once(send, TEXTS)


def segments_of(path: str) -> list[tuple[str, str]]:
    """Return the text before and after each parameter of a path. A path without one is followed by the segment."""
    parts = path.split("/")
    at = [number for number, part in enumerate(parts) if part.startswith("{")]
    return [
        ("/".join(parts[:number]).format_map(UNKNOWN) + "/", "/".join(["", *parts[number + 1 :]]).format_map(UNKNOWN))
        for number in at
    ] or [(path, "")]


@pytest.mark.server
@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        *((each.method, *segments) for each in DISTINCT for segments in segments_of(each.path)),
        *((method, before, "") for method in ("GET", "POST") for before in ("/v1/", "/", "/docs/", "/openapi.json")),
        ("GET", "/v1/", "/x/documents"),
    ],
)
def test_no_path_is_a_5xx(manager: Client, method: str, before: str, after: str) -> None:
    headers = [("Authorization", f"Bearer {manager.key}".encode()), ("Content-Type", b"application/json")]
    body = b"{}" if method in {"POST", "PATCH"} else None

    def send(segment: bytes) -> None:
        unharmed(manager, method, before.encode() + segment + after.encode(), headers, body)

    at_once(send, SEGMENTS)


EVERYWHERE = [
    *("Host", "Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Cookie", "Expect", "If-Match"),
    *("If-None-Match", "If-Modified-Since", "Origin", "Range", "Upgrade", "X-Forwarded-For", "Forwarded", "X-Nothing"),
]


@pytest.mark.server
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("operation", "header"),
    [
        *((each, header) for each in DISTINCT for header in each.headers),
        *((each, "Content-Type") for each in WITH_A_BODY),
        *((each, header) for each in (CREATE, GET_DOCUMENT) for header in ("X-Request-ID", *EVERYWHERE)),
    ],
    ids=str,
)
def test_no_value_of_a_header_is_a_5xx(manager: Client, operation: Operation, header: str) -> None:
    good = operation.call(manager).body
    body = json.dumps(good).encode() if good else None

    def send(value: bytes) -> None:
        headers = [("Authorization", f"Bearer {manager.key}".encode()), (header, value)]
        if header != "Content-Type":
            headers.append(("Content-Type", b"application/json"))
        unharmed(manager, operation.method, operation.unknown_path.encode(), headers, body)

    at_once(send, HEADER_VALUES)
