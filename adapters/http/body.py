"""One reader for everything a client sends as JSON: strict, bounded in size, depth and time (RFC 8259, RFC 7493)."""

import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request

from adapters.http.answer import header_values
from adapters.http.errors import RequestTimeout, UnsupportedMediaType
from adapters.http.in_flight import in_flight_of
from domain.errors import Invalid, PayloadTooLarge
from domain.idempotency import idempotency_key
from domain.members import Members, RuleViolation

BODY_MAX_BYTES = 64 * 1024
NESTING_MAX = 32
AnyRequest = Request[Any, Any, Any]
_ENTITY_TAG = rb'(?:W/)?+"[\x21\x23-\x7e\x80-\xff]*+"[ \t]*+'
# RFC 9110 5.6.1: a list may have empty elements. Possessive throughout: whatever is sent is looked at once.
_ENTITY_TAGS = re.compile(rb"[ \t]*+(?:%b)?+(?:,[ \t]*+(?:%b)?+)*+" % (_ENTITY_TAG, _ENTITY_TAG))
_OPAQUE = re.compile(rb'(W/)?"([^"]*)"')
# No record comes to a billion states.
_REVISION = re.compile(rb"[1-9][0-9]{0,8}")
READING_A_BODY = (Invalid, RequestTimeout, PayloadTooLarge, UnsupportedMediaType)
"""How `read_members` refuses."""


async def read_members(request: AnyRequest) -> Members:
    """The members of the JSON object in a request's body.

    Raises:
        UnsupportedMediaType: it is not announced as JSON.
        PayloadTooLarge: it has more than 64 KiB.
        RequestTimeout: the client went away.
        Invalid: it is not one well-formed JSON object.
    """
    if not _is_json(header_values(request.scope, b"content-type")):
        raise UnsupportedMediaType
    in_flight = in_flight_of(request.scope)
    in_flight.await_client()
    raw = await _whole(request)
    in_flight.resume()
    try:
        return parse_object(raw)
    except RuleViolation as wrong:
        raise Invalid({"body": str(wrong)}) from None


async def upload_pieces(request: AnyRequest, limit_bytes: int) -> AsyncIterator[bytes]:
    """A body as it comes in, however long it takes as a whole.

    Raises:
        PayloadTooLarge: it announces, or has, more than the limit.
        RequestTimeout: the client went away.
    """
    _check_announced(request, limit_bytes)
    in_flight = in_flight_of(request.scope)
    received, more = 0, True
    while more:
        in_flight.await_client()
        piece, more = await _receive(request, received, limit_bytes)
        in_flight.resume()
        received += len(piece)
        yield piece


async def _whole(request: AnyRequest) -> bytes:
    """All of a JSON body, which most often comes in one piece."""
    _check_announced(request, BODY_MAX_BYTES)
    raw, more = await _receive(request, 0, BODY_MAX_BYTES)
    pieces = bytearray(raw) if more else raw
    while more:
        piece, more = await _receive(request, len(pieces), BODY_MAX_BYTES)
        pieces += piece
    return bytes(pieces)


def _check_announced(request: AnyRequest, limit_bytes: int) -> None:
    for announced in header_values(request.scope, b"content-length"):
        if announced.isdigit() and int(announced[:20]) > limit_bytes:
            raise PayloadTooLarge(limit_bytes)


async def _receive(request: AnyRequest, received: int, limit_bytes: int) -> tuple[bytes, bool]:
    """The next piece of a body, and whether more of it comes."""
    message = await request.receive()
    if message["type"] != "http.request":
        raise RequestTimeout
    if received + len(message["body"]) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)
    return message["body"], message.get("more_body", False)


def read_idempotency_key(request: AnyRequest) -> str | None:
    """The Idempotency-Key of a request, if it has one.

    Raises:
        Invalid: it is no UUID, or there are two.
    """
    sent = header_values(request.scope, b"idempotency-key")
    if not sent:
        return None
    try:
        return idempotency_key(b",".join(sent).decode("latin-1"))
    except RuleViolation as wrong:
        raise Invalid({"Idempotency-Key": str(wrong)}) from None


def read_if_match(request: AnyRequest) -> frozenset[int] | None:
    """The revisions that If-Match (RFC 9110 13.1.1) allows: none at all, perhaps. `None` when it allows any.

    Raises:
        Invalid: it is not a list of entity-tags.
    """
    lines = header_values(request.scope, b"if-match")
    sent = b",".join(lines)
    if not lines or sent.strip(b" \t") == b"*":
        return None
    tags = _OPAQUE.findall(sent) if _ENTITY_TAGS.fullmatch(sent) else []
    if not tags:
        raise Invalid({"If-Match": "must be '*' or a list of entity-tags such as \"1\", each in double quotes"})
    # Weak ones never match (RFC 9110 8.8.3.2), nor do those that we have not given.
    return frozenset(int(opaque) for weak, opaque in tags if not weak and _REVISION.fullmatch(opaque))


def read_query(request: AnyRequest, *names: str, repeated: str | None = None) -> Members:
    """The parameters of the query that have these names; others are ignored. All values of `repeated` are one list.

    Raises:
        Invalid: another one is given more than once, or one is no text that a database could hold.
    """
    query: dict[str, object] = {}
    all_repeated: list[str] = []
    wrong: dict[str, str] = {}
    for name, value in query_pairs(request):
        if name == repeated:
            all_repeated.append(value)
            query[name] = all_repeated
        elif name not in names:
            continue
        elif name in query:
            wrong[name] = "must be given once"
        else:
            query[name] = value
        try:
            _check(value, 0)
        except RuleViolation as refused:
            wrong[name] = str(refused)
    if wrong:
        raise Invalid(wrong)
    return query


def query_pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """The names and values of the query, in order, repeated and empty ones included."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def parse_object(raw: bytes) -> Members:
    """A JSON object of UTF-8 text, without what JSON readers disagree on.

    Raises:
        Wrong: saying what is the matter.
    """
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise RuleViolation("must be UTF-8") from None
    except RecursionError:
        raise RuleViolation(f"must not nest deeper than {NESTING_MAX}") from None
    except RuleViolation:
        raise
    # JSONDecodeError, and the limit that Python sets to the digits of an integer.
    except ValueError:
        raise RuleViolation("must be well-formed JSON") from None
    if not isinstance(value, dict):
        raise RuleViolation("must be a JSON object")
    # NUL and lone surrogates can only be written with \\u: JSON allows no raw control characters, UTF-8 no surrogates.
    if b"\\u" in raw or raw.count(b"{") + raw.count(b"[") > NESTING_MAX:
        _check(value, NESTING_MAX)
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RuleViolation("must not have two members of one name")
    return members


def _no_constant(name: str) -> object:
    raise RuleViolation(f"must not contain {name}, which is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RuleViolation("must not contain numbers that no double holds")
    return number


def _check(value: object, levels: int) -> None:
    """Refuse what is nested too deep, and strings that are no text: no database and no other client could hold them."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RuleViolation("must not contain lone surrogates") from None
        if "\0" in value:
            raise RuleViolation("must not contain NUL")
    elif isinstance(value, dict | list):
        if levels == 0:
            raise RuleViolation(f"must not nest deeper than {NESTING_MAX}")
        for item in _children(value):
            _check(item, levels - 1)


def _children(value: dict[str, object] | list[object]) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    else:
        yield from value


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant, parse_float=_finite)


def _is_json(content_types: list[bytes]) -> bool:
    if len(content_types) != 1:
        return False
    essence, *parameters = (part.strip().lower() for part in content_types[0].split(b";"))
    return essence == b"application/json" and all(
        parameter in (b"charset=utf-8", b'charset="utf-8"') for parameter in parameters
    )
