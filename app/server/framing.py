"""Divides the bytes of a connection into request heads and bodies (RFC 9112 2.2, 6 and 7), in time linear in their
size.

Each reader takes the bytes of one message part as they arrive, and returns the bytes that follow it untouched. So no
byte of a body is ever read as a request, whatever the head says about upgrades.
"""

import re

from adapters.http.errors import HeaderTooLarge, UriTooLong
from app.server import message_rules
from app.server.limits import CHUNK_LINE_BYTES, FIELDS, HEAD_BYTES, TARGET_BYTES, TRAILER_BYTES
from app.server.syntax import CRLF, END_OF_HEAD, are_fields, check_request_line

_BARE_LF = re.compile(rb"(?<!\r)\n")
_EMPTY_LINES = re.compile(rb"(?:\r\n)*+")
"""Empty lines before a request line. RFC 9112 2.2 demands that a server ignore at least one."""

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]++)[ \t]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?")
"""The line before a chunk (RFC 9112 7.1): the size, and extensions, which are ignored. White space before the semicolon
is obsolete but allowed."""

_SIZE_DIGITS = 15
"""The most digits of a chunk size, which is thus below 2^60. Longer sizes overflow the integers of other servers, and
occur in attacks only."""


class HeadReader:
    """Collects one request head."""

    def __init__(self) -> None:
        self._pieces = bytearray()
        self._line_is_checked = False

    @property
    def has_begun(self) -> bool:
        """Whether a part of a head has arrived."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> tuple[bytes | None, bytes]:
        """Return the head without its empty line, and the bytes after it. The head is `None` while it is incomplete.

        Raises:
            Invalid: the head is malformed, however it continues. HeaderTooLarge, UriTooLong: it is over a limit.
        """
        if not self._pieces:
            if data.startswith(CRLF):
                data = data[_end_of_empty_lines(data) :]
            if (end := data.find(END_OF_HEAD)) >= 0:
                return data[: end + 2], data[end + 4 :]
        seen = max(0, len(self._pieces) - 3)
        self._pieces += data
        if seen == 0:
            del self._pieces[: _end_of_empty_lines(self._pieces)]
        end = self._pieces.find(END_OF_HEAD, seen)
        if end < 0:
            self._check_incomplete(seen)
            return None, b""
        head, rest = bytes(self._pieces[: end + 2]), bytes(self._pieces[end + 4 :])
        self._pieces.clear()
        self._line_is_checked = False
        return head, rest

    def _check_incomplete(self, seen: int) -> None:
        """Refuse an incomplete head that is already malformed, instead of waiting for its end."""
        pieces = self._pieces
        # A head whose lines end with LF alone would never be complete. The last byte seen may be the CR of an LF.
        if _BARE_LF.search(pieces, max(0, seen - 1)):
            raise message_rules.LINE_END.broken()
        if not self._line_is_checked:
            end = pieces.find(CRLF, seen)
            # The beginning is checked only once: to match it again with each new byte would take quadratic time.
            if end >= 0 or seen == 0:
                check_request_line(bytes(pieces[:end] if end >= 0 else pieces), complete=end >= 0)
                self._line_is_checked = end >= 0
            if end < 0 and len(pieces) > TARGET_BYTES + 64:
                raise UriTooLong(TARGET_BYTES)
        if len(pieces) > HEAD_BYTES:
            raise HeaderTooLarge(HEAD_BYTES, FIELDS)


def _end_of_empty_lines(data: bytes | bytearray) -> int:
    """Return the end of the empty lines before a request line, which are ignored. Old clients send one after a body."""
    match = _EMPTY_LINES.match(data)
    assert match is not None
    return match.end()


class SizedBody:
    """A body with a Content-Length (RFC 9112 6.2). Without one, its length is zero (6.3)."""

    def __init__(self, length: int) -> None:
        self.missing = length

    @property
    def is_complete(self) -> bool:
        """Whether the whole body has arrived."""
        return not self.missing

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the content in `data`, and the bytes after the body."""
        content, rest = (data, b"") if len(data) <= self.missing else (data[: self.missing], data[self.missing :])
        self.missing -= len(content)
        return content, rest


class ChunkedBody:
    """A body in chunks (RFC 9112 7.1). Its trailers are checked and dropped: they never become header fields (6.5)."""

    missing = 0
    """The number of bytes that are known to be missing."""

    def __init__(self) -> None:
        self.is_complete = False
        self._pieces = b""
        self._left = 0
        self._ends_chunk = self._in_trailers = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the content in `data`, without its framing, and the bytes after the body.

        Raises:
            Invalid: a chunk or a trailer breaks a message rule.
        """
        data = self._pieces + data
        position, contents = 0, []
        while not self.is_complete:
            if self._left:
                content = data[position : position + self._left]
                contents.append(content)
                end = position + len(content)
                self._left -= len(content)
                self._ends_chunk = not self._left
            elif self._ends_chunk:
                end = self._end_of_chunk(data, position)
            elif self._in_trailers:
                end = self._end_of_trailers(data, position)
            else:
                end = self._end_of_chunk_line(data, position)
            if end < 0 or end == position:
                break
            position = end
        self._pieces, rest = (b"", data[position:]) if self.is_complete else (data[position:], b"")
        return b"".join(contents), rest

    # Each of these methods returns the end of its part, or -1 while the part is incomplete.

    def _end_of_chunk(self, data: bytes, position: int) -> int:
        end = data[position : position + 2]
        if not CRLF.startswith(end):
            raise message_rules.CHUNK_END.broken()
        if len(end) < 2:
            return -1
        self._ends_chunk = False
        return position + 2

    def _end_of_chunk_line(self, data: bytes, position: int) -> int:
        end = data.find(CRLF, position, position + CHUNK_LINE_BYTES + 2)
        line = data[position : end if end >= 0 else position + CHUNK_LINE_BYTES + 2]
        if end < 0:
            if len(line) > CHUNK_LINE_BYTES:
                raise message_rules.CHUNK_TOO_LONG.broken()
            # The last byte so far may be the CR of the line end.
            line = line.removesuffix(b"\r")
            if not line:
                return -1
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise message_rules.CHUNK_LINE.broken()
        if len(match[1]) > _SIZE_DIGITS:
            raise message_rules.CHUNK_SIZE.broken()
        if end < 0:
            return -1
        self._left = int(match[1], 16)
        self._in_trailers = not self._left
        return end + 2

    def _end_of_trailers(self, data: bytes, position: int) -> int:
        if data.startswith(CRLF, position):
            self.is_complete = True
            return position + 2
        end = data.find(END_OF_HEAD, position)
        section = data[position : end + 2] if end >= 0 else data[position:]
        if len(section) > TRAILER_BYTES or (end >= 0 and not are_fields(section)):
            raise message_rules.TRAILER.broken()
        self.is_complete = end >= 0
        return end + 4 if self.is_complete else -1
