"""Reads request bodies within limits of size and time. JSON is read as a whole, uploads piece by piece."""

from collections.abc import AsyncIterator, Sequence

from adapters.http.answer import header_values
from adapters.http.errors import RequestTimeout, UnsupportedMediaType
from adapters.http.in_flight import in_flight_of
from adapters.http.request import AnyRequest
from adapters.http.strict_json import parse_object
from domain.errors import Invalid, PayloadTooLarge
from domain.members import Members, RuleViolation

BODY_MAX_BYTES = 64 * 1024


def check_media_type(request: AnyRequest, accepted: Sequence[str], accept_patch: Sequence[str]) -> None:
    """Return without a value if the media type of the body is accepted.

    Raises:
        UnsupportedMediaType: the media type is not accepted.
    """
    if _media_type(request) not in accepted:
        raise UnsupportedMediaType(accept_patch)


def announces_body(request: AnyRequest) -> bool:
    """Return whether the head of the request says that a body follows (RFC 9112 6)."""
    return bool(announced_length(request)) or bool(header_values(request.scope, b"transfer-encoding"))


async def whole_body(request: AnyRequest) -> bytes:
    """Return a body that is read as a whole.

    Raises:
        PayloadTooLarge: the body has more than 64 KiB.
        RequestTimeout: the client disconnected.
    """
    in_flight = in_flight_of(request.scope)
    in_flight.await_client()
    raw = await _whole(request)
    in_flight.resume()
    return raw


def parse_members(raw: bytes) -> Members:
    """Return the members of the JSON object in a body.

    Raises:
        Invalid: the body is not one well-formed JSON object.
    """
    try:
        return parse_object(raw)
    except RuleViolation as violation:
        raise Invalid({"body": str(violation)}) from None


async def upload_pieces(request: AnyRequest, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield a body as it arrives. Each piece has a deadline, and the whole body has a minimum rate.

    Raises:
        PayloadTooLarge: Content-Length or the body itself is over the limit.
        RequestTimeout: the client disconnected.
    """
    _check_content_length(request, limit_bytes)
    in_flight = in_flight_of(request.scope)
    received, more = 0, True
    while more:
        in_flight.await_client(received)
        piece, more = await _receive(request, received, limit_bytes)
        in_flight.resume()
        received += len(piece)
        yield piece


async def _whole(request: AnyRequest) -> bytes:
    """Return all of a JSON body, which usually arrives in one piece."""
    _check_content_length(request, BODY_MAX_BYTES)
    raw, more = await _receive(request, 0, BODY_MAX_BYTES)
    pieces = bytearray(raw) if more else raw
    while more:
        piece, more = await _receive(request, len(pieces), BODY_MAX_BYTES)
        pieces += piece
    return bytes(pieces)


def announced_length(request: AnyRequest) -> int | None:
    """Return the Content-Length of the request; `None` if the body is sent in chunks, or if there is none."""
    # The server has checked that there is at most one, and its value. Zeros before it are valid (RFC 9110 8.6), and
    # Python refuses to convert more than 4,300 digits.
    sent = header_values(request.scope, b"content-length")
    return int(sent[0].lstrip(b"0") or b"0") if sent else None


def _check_content_length(request: AnyRequest, limit_bytes: int) -> None:
    if (announced_length(request) or 0) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)


async def _receive(request: AnyRequest, received: int, limit_bytes: int) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether more pieces follow."""
    message = await request.receive()
    if message["type"] != "http.request":
        raise RequestTimeout
    if received + len(message["body"]) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)
    return message["body"], message.get("more_body", False)


def _media_type(request: AnyRequest) -> str | None:
    """Return the media type of the body in lower case, without parameters: JSON defines none (RFC 8259 11)."""
    sent = header_values(request.scope, b"content-type")
    return sent[0].split(b";")[0].strip().lower().decode("latin-1") if len(sent) == 1 else None
