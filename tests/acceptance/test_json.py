"""Bodies: JSON read strictly, small, and only when it says it is JSON."""

import gzip
import json
from collections.abc import Iterator

import pytest

from .client import RATE_HEADERS, Client, error_of
from .raw import ask, message, send

ROUTES = ["/v1/documents", "/v1/documents/upload-url"]
LIMIT = 64 * 1024
GOOD = '{"name":"a.txt","mime_type":"text/plain"}'

MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "cut off": GOOD[:-1].encode(),
    "trailing comma": b'{"name":"a","mime_type":"a/b",}',
    "trailing brace": GOOD.encode() + b"}",
    "two values": GOOD.encode() + GOOD.encode(),
    "trailing NUL": GOOD.encode() + b"\0",
    "comment": b"/* */" + GOOD.encode(),
    "single quotes": GOOD.replace('"', "'").encode(),
    "bare names": b'{name:"a",mime_type:"a/b"}',
    "leading zero": b'{"name":"a","mime_type":"a/b","size_bytes":05}',
    "plus sign": b'{"name":"a","mime_type":"a/b","size_bytes":+5}',
    "hexadecimal": b'{"name":"a","mime_type":"a/b","size_bytes":0x5}',
    "unknown escape": rb'{"name":"\x61","mime_type":"a/b"}',
    "cut off escape": rb'{"name":"\u12","mime_type":"a/b"}',
    "raw newline in a string": b'{"name":"a\nb","mime_type":"a/b"}',
    "raw NUL in a string": b'{"name":"a\0b","mime_type":"a/b"}',
    "form feed as white space": b"\f" + GOOD.encode(),
    "no-break space as white space": "\u00a0".encode() + GOOD.encode(),
    "NaN": b'{"name":"a","mime_type":"a/b","size_bytes":NaN}',
    "Infinity": b'{"name":"a","mime_type":"a/b","size_bytes":Infinity}',
    "-Infinity": b'{"name":"a","mime_type":"a/b","size_bytes":-Infinity}',
    "duplicate member": b'{"name":"a","name":"a","mime_type":"a/b"}',
    "duplicate member by escape": rb'{"name":"a","n\u0061me":"a","mime_type":"a/b"}',
    "duplicate member deep down": b'{"name":"a","mime_type":"a/b","x":[{"y":1,"y":2}]}',
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16 with a mark": GOOD.encode("utf-16"),
    "UTF-16LE": GOOD.encode("utf-16-le"),
    "UTF-16BE": GOOD.encode("utf-16-be"),
    "UTF-32": GOOD.encode("utf-32"),
    "Latin-1": '{"name":"\u00e9","mime_type":"a/b"}'.encode("latin-1"),
    "overlong UTF-8": b'{"name":"\xc0\xaf","mime_type":"a/b"}',
    "surrogate in UTF-8": b'{"name":"\xed\xa0\x80","mime_type":"a/b"}',
    "UTF-8 beyond Unicode": b'{"name":"\xf4\x90\x80\x80","mime_type":"a/b"}',
    "invalid UTF-8 in a member's name": b'{"na\xffme":"a","mime_type":"a/b"}',
    "escaped NUL": rb'{"name":"a\u0000b","mime_type":"a/b"}',
    "high surrogate alone": rb'{"name":"\ud83d","mime_type":"a/b"}',
    "low surrogate alone": rb'{"name":"\ude00x","mime_type":"a/b"}',
    "surrogates the wrong way round": rb'{"name":"\ude00\ud83d","mime_type":"a/b"}',
    "NUL in a member's name": rb'{"name":"a","mime_type":"a/b","x\u0000":1}',
    "surrogate in a member's name": rb'{"name":"a","mime_type":"a/b","x\ud800":1}',
    "surrogate deep down": rb'{"name":"a","mime_type":"a/b","tags":["\ud800"]}',
    "33 deep": b'{"name":' + b"[" * 32 + b"]" * 32 + b',"mime_type":"a/b"}',
    "30,000 lists deep": b"[" * 30_000 + b"]" * 30_000,
    "30,000 lists, never closed": b"[" * 60_000,
    "10,000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a list": b"[]",
    "a list of one good body": f"[{GOOD}]".encode(),
    "a string": b'"x"',
    "a number": b"1",
    "true": b"true",
    "null": b"null",
    "a form": b"name=a&mime_type=a%2Fb",
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_anything_but_one_strict_json_object_is_a_400(home: Client, route: str, body: bytes) -> None:
    error_of(home.post(route, body), 400, "validation_error")


@pytest.mark.parametrize("member", ["name", "mime_type", "storage_path", "description", "folder", "tags"])
@pytest.mark.parametrize("text", [r"{}\u0000", r"\u0000{}", r"{}\ud83d", r"\ude00{}"])
def test_no_member_takes_a_nul_or_half_a_character(home: Client, stored: str, member: str, text: str) -> None:
    """Whether the body or its member is to blame is not told apart."""
    good = home.document(stored, description="d", folder="/f", tags=["t"])
    value = good[member][0] if member == "tags" else good[member]
    body = json.dumps(good).replace(f'"{value}"', f'"{text.format(value)}"')
    error_of(home.post("/v1/documents", body.encode()), 400, "validation_error")
    home.recorded(stored)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_hundred_thousand_levels_are_refused_too(home: Client, route: str, opening: bytes) -> None:
    assert home.post(route, opening * 100_000).status_code in {400, 413}


def test_white_space_escapes_and_any_order_of_members_are_good_json(home: Client, stored: str) -> None:
    body = ' \r\n\t{ "storage_path" : "PATH", "mime_type":"text\\/plain",\n"n\\u0061me":"\\ud83d\\ude00"} \n'
    answer = home.post("/v1/documents", body.replace("PATH", stored).encode())
    assert answer.json()["data"]["name"] == "\U0001f600"


def test_plain_utf8_is_good_json(home: Client, stored: str) -> None:
    body = json.dumps(home.document(stored, name="\u00fc\U0001f600"), ensure_ascii=False).encode()
    assert home.post("/v1/documents", body).json()["data"]["name"] == "\u00fc\U0001f600"


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_of_64_kib_is_read_and_one_byte_more_is_413(home: Client, stored: str, route: str) -> None:
    body = GOOD.encode() if route.endswith("url") else json.dumps(home.document(stored)).encode()
    assert error_of(home.post(route, body.ljust(LIMIT + 1)), 413, "payload_too_large")
    assert home.post(route, body.ljust(LIMIT)).status_code in {200, 201}


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_without_a_declared_length_has_the_same_limit(home: Client, stored: str, route: str) -> None:
    def pieces(body: bytes, size: int) -> Iterator[bytes]:
        padded = body.ljust(size)
        yield from (padded[start : start + 8000] for start in range(0, size, 8000))

    body = GOOD.encode() if route.endswith("url") else json.dumps(home.document(stored)).encode()
    kind = {"Content-Type": "application/json"}
    refused = home.request("POST", route, content=pieces(body, LIMIT + 1), headers=kind)
    error_of(refused, 413, "payload_too_large")
    accepted = home.request("POST", route, content=pieces(body, LIMIT), headers=kind)
    assert accepted.status_code in {200, 201}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("length", [LIMIT + 1, 10**10, 2**63])
def test_a_declared_length_over_the_limit_is_413_at_once(home: Client, route: str, length: int) -> None:
    headers = [
        ("Authorization", f"Bearer {home.key}".encode()),
        ("Content-Type", b"application/json"),
        ("Content-Length", str(length).encode()),
    ]
    answer = send(home.base_url, message(home.base_url, "POST", route.encode(), headers))
    assert answer is not None
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "payload_too_large"
    assert {"x-request-id", *(name.lower() for name in RATE_HEADERS)} <= set(answer.headers)


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "text/json", "application/jsonx", "application/x-json", "application", "json"),
        *("*/*", ""),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream"),
        *("application/vnd.api+json", "application/merge-patch+json", "application/ld+json", "text/html"),
    ],
)
@pytest.mark.parametrize("route", ROUTES)
def test_another_content_type_is_415(home: Client, route: str, kind: str) -> None:
    error_of(home.post(route, GOOD.encode(), {"Content-Type": kind}), 415, "unsupported_media_type")


@pytest.mark.parametrize("route", ROUTES)
def test_no_content_type_at_all_is_415(home: Client, route: str) -> None:
    error_of(home.request("POST", route, content=GOOD.encode()), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
    ],
)
def test_json_is_known_by_its_type_in_any_case_with_or_without_utf8_charset(home: Client, kind: str) -> None:
    assert home.post("/v1/documents/upload-url", GOOD.encode(), {"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
def test_a_compressed_body_is_refused(home: Client, coding: str) -> None:
    body = gzip.compress(GOOD.encode())
    assert home.post(ROUTES[1], body, {"Content-Encoding": coding}).status_code in {400, 415}


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ([("Content-Length", b"5"), ("Transfer-Encoding", b"chunked")], b"0\r\n\r\n"),
        ([("Content-Length", b"2"), ("Content-Length", b"3")], b"{} "),
        ([("Content-Length", b"-1")], b"{}"),
        ([("Content-Length", b"two")], b"{}"),
        ([("Content-Length", b"9" * 40)], b"{}"),
        ([("Transfer-Encoding", b"gzip, chunked")], b"0\r\n\r\n"),
        ([("Transfer-Encoding", b"nonsense")], b"{}"),
        ([("Transfer-Encoding", b"chunked")], b"zz\r\n{}\r\n0\r\n\r\n"),
    ],
)
def test_a_body_framed_wrongly_creates_nothing_and_is_no_error_of_ours(
    home: Client, framing: list[tuple[str, bytes]], body: bytes
) -> None:
    headers = [
        ("Authorization", f"Bearer {home.key}".encode()),
        ("Content-Type", b"application/json"),
        *framing,
    ]
    answer = ask(home.base_url, "POST", b"/v1/documents", headers, body)
    assert answer is None or 400 <= answer.status < 500
