"""Bodies of every operation that reads one: strict JSON, at most 64 KiB, announced as JSON.

What the reader takes and refuses is proven by tests/http/test_body.py. Here it is proven that every operation uses it.
"""

import gzip
import json
from collections.abc import Iterator

import pytest

from .client import RATE_HEADERS, Client, data_of, error_of, with_member
from .operations import CREATE, SIGN_UPLOAD, WITH_A_BODY, Operation
from .raw import ask, message, send

LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}
each_operation = pytest.mark.parametrize("operation", WITH_A_BODY, ids=str)


def good_body(operation: Operation, client: Client) -> bytes:
    return json.dumps(operation.call(client).body).encode()


@each_operation
def test_a_body_that_is_not_one_strict_json_object_is_a_400(manager: Client, operation: Operation) -> None:
    call = operation.call(manager)
    good = json.dumps(call.body).encode()
    malformed = [
        *(b"", b"  \n", good[:-1], good[:-1] + b",}", good + b"}", good + good, good + b"\0", b"/* */" + good),
        *(good.replace(b'"', b"'"), b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), b"\xc2\xa0" + good),
        *(good[:-1] + b"," + good[1:], b"[" + good + b"]", b'"x"', b"1", b"null", b"name=a&mime_type=a%2Fb"),
        *(b"[" * 60_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    ]
    malformed += [
        with_member(call.body or {}, operation.members[0], value)
        for value in ("NaN", "-Infinity", "05", "+5", '"\\x61"', '"a\nb"', '{"y":1,"y":2}', "[" * 32 + "]" * 32)
    ]
    for body in malformed:
        error_of(manager.send(call.method, call.path, body), 400, "validation_error")
    error_of(manager.send(call.method, call.path, '{"name":"é"}'.encode("latin-1")), 400, "validation_error")
    assert call.send(manager).status_code == operation.success


@each_operation
def test_no_member_takes_a_nul_or_half_a_character(manager: Client, operation: Operation) -> None:
    """Whether the body or its member is to blame is left open."""
    call = operation.call(manager)
    for member in operation.members:
        for text in (r'"a\u0000b"', r'"\u0000"', r'"a\ud83d"', r'"\ude00b"', r'["a\u0000"]', r'["\ud800"]'):
            body = with_member(call.body or {}, member, text)
            error_of(manager.send(call.method, call.path, body), 400, "validation_error")
    assert call.send(manager).status_code == operation.success


def test_white_space_escapes_and_any_order_of_members_are_good_json(home: Client) -> None:
    body = ' \r\n\t{ "storage_path" : "PATH", "mime_type":"text\\/plain",\n"n\\u0061me":"\\ud83d\\ude00"} \n'
    for sent in (body, '{"storage_path":"PATH","mime_type":"text/plain","name":"\U0001f600"}'):
        answer = home.post(CREATE.path, sent.replace("PATH", home.upload()).encode())
        assert data_of(answer, 201)["name"] == "\U0001f600"


# Size


@each_operation
def test_a_body_of_64_kib_is_read_and_one_byte_more_is_413_with_or_without_a_declared_length(
    manager: Client, operation: Operation
) -> None:
    def pieces(body: bytes, size: int) -> Iterator[bytes]:
        padded = body.ljust(size)
        yield from (padded[start : start + 8000] for start in range(0, size, 8000))

    for is_declared in (True, False):
        call = operation.call(manager)
        good = json.dumps(call.body).encode()

        def sent(size: int, body: bytes = good, is_declared: bool = is_declared) -> bytes | Iterator[bytes]:
            return body.ljust(size) if is_declared else pieces(body, size)

        refused = manager.request(call.method, call.path, content=sent(LIMIT + 1), headers=JSON)
        error_of(refused, 413, "payload_too_large")
        accepted = manager.request(call.method, call.path, content=sent(LIMIT), headers=JSON)
        assert accepted.status_code == operation.success


@each_operation
def test_a_hundred_thousand_levels_are_refused_too(manager: Client, operation: Operation) -> None:
    for opening in (b"[", b'{"a":'):
        answer = manager.send(operation.method, operation.unknown_path, opening * 100_000)
        assert answer.status_code in {400, 413}


@pytest.mark.server
@each_operation
@pytest.mark.parametrize("length", [LIMIT + 1, 2**63])
def test_a_declared_length_over_the_limit_is_413_at_once(manager: Client, operation: Operation, length: int) -> None:
    headers = [
        *(("Authorization", f"Bearer {manager.key}".encode()), ("Content-Type", b"application/json")),
        ("Content-Length", str(length).encode()),
    ]
    path = operation.unknown_path.encode()
    answer = send(manager.base_url, message(manager.base_url, operation.method, path, headers))
    assert answer is not None
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "payload_too_large"
    assert {"x-request-id", *(name.lower() for name in RATE_HEADERS)} <= set(answer.headers)


# Content-Type, Content-Encoding and framing


@each_operation
def test_another_content_type_or_none_is_415(manager: Client, operation: Operation) -> None:
    call = operation.call(manager)
    body = json.dumps(call.body).encode()
    for kind in (
        *("text/plain", "text/json", "application/jsonx", "application/x-json", "application", "json", "*/*", ""),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream"),
        *("application/vnd.api+json", "application/merge-patch+json", "text/html", "application/json, text/plain"),
        "application/json; charset=latin-1",
    ):
        answer = manager.send(call.method, call.path, body, {"Content-Type": kind})
        error_of(answer, 415, "unsupported_media_type")
    error_of(manager.request(call.method, call.path, content=body), 415, "unsupported_media_type")
    assert call.send(manager).status_code == operation.success


@each_operation
def test_json_is_known_by_its_type_in_any_case_with_or_without_its_charset(
    manager: Client, operation: Operation
) -> None:
    for kind in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        assert operation.call(manager).send(manager, {"Content-Type": kind}).status_code == operation.success


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
def test_a_compressed_body_is_refused(home: Client, coding: str) -> None:
    body = gzip.compress(good_body(SIGN_UPLOAD, home))
    assert home.post(SIGN_UPLOAD.path, body, {"Content-Encoding": coding}).status_code in {400, 415}


@pytest.mark.server
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ([("Content-Length", b"5"), ("Transfer-Encoding", b"chunked")], b"0\r\n\r\n"),
        ([("Content-Length", b"2"), ("Content-Length", b"3")], b"{} "),
        *(([("Content-Length", length)], b"{}") for length in (b"-1", b"two", b"9" * 40)),
        ([("Transfer-Encoding", b"gzip, chunked")], b"0\r\n\r\n"),
        ([("Transfer-Encoding", b"nonsense")], b"{}"),
        ([("Transfer-Encoding", b"chunked")], b"zz\r\n{}\r\n0\r\n\r\n"),
    ],
)
def test_a_wrongly_framed_body_is_refused_and_no_server_error(
    home: Client, framing: list[tuple[str, bytes]], body: bytes
) -> None:
    headers = [("Authorization", f"Bearer {home.key}".encode()), ("Content-Type", b"application/json"), *framing]
    answer = ask(home.base_url, "POST", CREATE.path.encode(), headers, body)
    assert answer is None or 400 <= answer.status < 500
