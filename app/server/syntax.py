"""Reads a request head: the request line, the fields, and the framing of the body. See `message_rules.py` too."""

import re
from dataclasses import dataclass

from adapters.http.errors import HeaderTooLarge, UriTooLong
from app.server import message_rules
from app.server.limits import FIELDS, HEAD_BYTES, TARGET_BYTES
from app.server.message_rules import MessageRule
from domain.errors import PayloadTooLarge, Refusal

CRLF = b"\r\n"
END_OF_HEAD = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
"""One character of a token (RFC 9110 5.6.2)."""

# All quantifiers for bytes of a client are possessive (`++`, `*+`), so that matching takes linear time for every input.
_REQUEST_LINE = re.compile(rb"(%b++) ([\x21\x22\x24-\x7e]++) HTTP/([0-9])\.([0-9])" % _TOKEN)
"""RFC 9112 3. The target may contain every visible ASCII character but `#`: RFC 3986 allows fewer, but browsers send
`[`, `|` and `"` as they are, and none of them affects where a request ends."""

_BEGINNING = re.compile(rb"\r|%b*+(?: [\x21-\x7e]*+(?: H?T?T?P?/?[0-9]?\.?[0-9]?\r?)?)?" % _TOKEN)
"""The possible beginnings of a request line. Other input, such as a TLS handshake, is refused at its first byte."""

_FIELD_LINES = re.compile(rb"(?:%b++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+" % _TOKEN)
"""RFC 9112 5 and RFC 9110 5.5: names are tokens, values have no control characters but tabs."""

_REG_NAME = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})"
_AUTHORITY = rb"(?:%b*+|\[[0-9A-Fa-f:.]++\])(?::[0-9]*+)?" % _REG_NAME
_HOST = re.compile(_AUTHORITY)
"""The value of Host (RFC 9110 7.2). An empty value is valid (RFC 9112 3.2)."""

_ABSOLUTE_FORM = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://(?!/|\?|:|$)(%b)([/?].*+)?" % _AUTHORITY)
"""A target in absolute form (RFC 9112 3.2.2), without user information (RFC 9110 4.2.4) and with a host (4.2.1)."""

_LENGTH = re.compile(rb"[0-9]++")
"""The value of Content-Length. RFC 9110 8.6 permits to refuse or to repair a list of equal lengths; this server refuses
it."""

_LARGEST_LENGTH = 10**19 - 1


@dataclass(slots=True)
class Head:
    """A valid request head.

    Attributes:
        path: as it was sent, without the query.
        headers: names in lower case, values without surrounding white space, in the order they were sent.
        length: the length of the body in bytes; `None` for a chunked body.
        keep_alive: whether the client permits the connection to stay open.
        expects_continue: whether the client waits for `100 Continue` before it sends the body.
    """

    method: str
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    length: int | None = 0
    keep_alive: bool = True
    expects_continue: bool = False


def parse_head(raw: bytes) -> Head:
    """Return the head in `raw`, which ends with the last line's CR LF, without the empty line.

    Raises:
        Invalid: the head breaks a message rule.
        HeaderTooLarge, UriTooLong, PayloadTooLarge: it is over a limit.
    """
    if len(raw) + len(CRLF) > HEAD_BYTES:
        raise HeaderTooLarge(HEAD_BYTES, FIELDS)
    line, _, fields = raw.partition(CRLF)
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _wrong_request_line(line)
    method, target, major, minor = match.groups()
    if len(target) > TARGET_BYTES:
        raise UriTooLong(TARGET_BYTES)
    if major != b"1":
        raise message_rules.VERSION.broken()
    # RFC 9110 2.5: a higher minor version is answered as the highest one that the server knows.
    version = "1.0" if minor == b"0" else "1.1"
    if not _FIELD_LINES.fullmatch(fields):
        raise _wrong_field(fields).broken()
    headers = []
    framing: dict[bytes, list[bytes]] = {}
    for field in fields.split(CRLF)[:-1]:
        name, _, value = field.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        headers.append((name, value))
        if name in _FRAMING:
            framing.setdefault(name, []).append(value)
    if len(headers) > FIELDS:
        raise HeaderTooLarge(HEAD_BYTES, FIELDS)
    _check_host(framing.pop(b"host", []), version)
    if not target.startswith(b"/"):
        target = _path_of(method, target, headers)
    path, _, query = target.partition(b"?")
    # RFC 9112 9.3: an HTTP/1.0 connection closes after the response unless both sides agree to keep it. This server
    # never agrees.
    head = Head(method.decode(), path, query, version, headers, keep_alive=version != "1.0")
    if framing:
        _frame(head, framing)
    return head


def are_fields(lines: bytes) -> bool:
    """Return whether these are valid field lines, each with its CR LF. Trailers have the same syntax as headers."""
    return _FIELD_LINES.fullmatch(lines) is not None


def check_request_line(line: bytes, *, complete: bool) -> None:
    """Refuse a malformed request line before the rest of the head has arrived.

    Raises:
        Invalid, UriTooLong: as `parse_head`.
    """
    if not (_REQUEST_LINE if complete else _BEGINNING).fullmatch(line):
        raise _wrong_request_line(line)


_FRAMING = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"))
"""The fields that determine the end of a request and whether the connection stays open. `Upgrade` is not one of them:
the server supports no other protocol, so it ignores the field (RFC 9110 7.8)."""


def _path_of(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the path and query of a target that is not a path (RFC 9112 3.2)."""
    if target == b"*" and method == b"OPTIONS":
        return target
    match = _ABSOLUTE_FORM.fullmatch(target)
    if match is None or method == b"CONNECT":
        raise message_rules.TARGET.broken()
    authority, path = match[1], match[2] or b"/"
    # RFC 9112 3.2.2: the host of the target replaces the field Host.
    headers[:] = [(name, authority if name == b"host" else value) for name, value in headers]
    return path if path.startswith(b"/") else b"/" + path


def _check_host(hosts: list[bytes], version: str) -> None:
    if len(hosts) != 1 and (hosts or version != "1.0"):
        raise message_rules.HOST_ONCE.broken()
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise message_rules.HOST.broken()


def _frame(head: Head, framing: dict[bytes, list[bytes]]) -> None:
    """Determine the framing of the body, and whether the connection stays open."""
    lengths, codings = framing.get(b"content-length"), framing.get(b"transfer-encoding")
    if codings:
        _check_coding(codings, head.version, lengths)
        head.length = None
    elif lengths:
        head.length = _length(lengths)
    for value in framing.get(b"connection", ()):
        # RFC 9110 7.6.1. The option keep-alive is the default of HTTP/1.1.
        if b"close" in [option.strip(b" \t") for option in value.lower().split(b",")]:
            head.keep_alive = False
    for value in framing.get(b"expect", ()):
        if value.lower() != b"100-continue":
            raise message_rules.EXPECT.broken()
        # RFC 9110 10.1.1: an expectation of HTTP/1.0 is ignored.
        head.expects_continue = head.version != "1.0" and head.length != 0


def _check_coding(codings: list[bytes], version: str, lengths: list[bytes] | None) -> None:
    if lengths:
        raise message_rules.CODING_OR_LENGTH.broken()
    if version == "1.0":
        raise message_rules.CODING_VERSION.broken()
    if len(codings) > 1 or codings[0].lower() != b"chunked":
        raise message_rules.CODING.broken()


def _length(lengths: list[bytes]) -> int:
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise message_rules.LENGTH.broken()
    # Digits are counted first, because Python converts long numbers in quadratic time.
    digits = lengths[0].lstrip(b"0") or b"0"
    if len(digits) > 19 or int(digits) > _LARGEST_LENGTH:
        raise PayloadTooLarge(_LARGEST_LENGTH)
    return int(digits)


def _wrong_request_line(line: bytes) -> Refusal:
    if len(line) > TARGET_BYTES and re.fullmatch(rb"[^ \r\n]++ [^ \r\n]*+(?: .{0,9})?", line):
        return UriTooLong(TARGET_BYTES)
    return (message_rules.LINE_END if b"\n" in line or b"\r" in line else message_rules.REQUEST_LINE).broken()


def _wrong_field(fields: bytes) -> MessageRule:
    """Return the message rule that the field lines break."""
    # White space at the beginning of a line would continue the line before. There is no line before the first one, so
    # that is wrong too.
    lines = CRLF + fields
    for pattern, rule in _FIELD_RULES:
        if pattern.search(lines):
            return rule
    return message_rules.FIELD


_FIELD_RULES = (
    (re.compile(rb"\r(?!\n)|(?<!\r)\n"), message_rules.LINE_END),
    (re.compile(rb"\r\n[ \t]"), message_rules.FOLDED),
    (re.compile(rb"\r\n%b++[ \t]++:" % _TOKEN), message_rules.SPACE_BEFORE_COLON),
)
