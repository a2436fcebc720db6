"""h11, an independent parser, reads every request that the server accepts as the same request."""

import re
from collections import Counter

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from app.server.framing import ChunkedBody, HeadReader, SizedBody
from app.server.syntax import Head, parse_head
from domain.errors import Refusal

# Parts of messages on the border between valid and malformed, which random bytes would hardly ever hit.
METHODS = st.sampled_from([*[b"GET", b"POST"] * 4, b"get", b"X-!", b"", b"G T", b"G\tT"])
TARGETS = st.sampled_from([*[b"/", b"/a?b"] * 4, b"*", b"http://h/a", b"/a b", b"", b"/\x80", b"/#", b"a:1"])
VERSIONS = st.sampled_from([*[b"HTTP/1.1", b"HTTP/1.0"] * 4, b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b""])
LINE_ENDS = st.sampled_from([*[b"\r\n"] * 20, b"\n", b"\r", b"\r\r\n", b"\r\n "])
LINES = st.sampled_from(
    [
        *[b"Content-Length: 3", b"content-length:03", b"Transfer-Encoding: chunked", b"transfer-encoding:\tChunked "]
        * 2,
        *[b"Connection: close", b"Connection: a, b", b"X-A: b", b"X-A:", b"X-A: \xe9"] * 2,
        *(b"Content-Length: 3, 3", b"Content-Length: +3", b"Content-Length:", b"Content-Length : 3"),
        b"Content-Length: 2",
        *(b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding:", b"Host: b"),
        *(b"X A: b", b": b", b"X-A", b"X-A: \0", b"X-A: \x7f", b" X-A: b", b""),
    ]
)
FIELDS = st.lists(st.tuples(LINES, LINE_ENDS), max_size=3)
BODIES = st.sampled_from(
    [b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3;x\r\nabc\r\n0\r\nA: b\r\n\r\n", b"3\nabc\n0\n\n", b"g\r\n"]
)
HOSTS = st.sampled_from([*[b"Host: a\r\n"] * 4, b""])


def read(raw: bytes) -> tuple[Head, bytes] | None:
    """Return the head and the body that the server reads, `None` if it refuses the request or waits for more of it."""
    try:
        head_bytes, rest = HeadReader().feed(raw)
        if head_bytes is None:
            return None
        head = parse_head(head_bytes)
        body = ChunkedBody() if head.length is None else SizedBody(head.length)
        content, _ = body.feed(rest)
    except Refusal:
        return None
    return (head, content) if body.is_complete else None


def h11_reads(raw: bytes) -> tuple[h11.Request, bytes]:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    connection.receive_data(raw)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    content = b""
    while isinstance(event := connection.next_event(), h11.Data):
        content += event.data
    assert isinstance(event, h11.EndOfMessage)
    return request, content


outcomes: Counter[bool] = Counter()


@settings(max_examples=1000, database=None)
@given(METHODS, TARGETS, VERSIONS, LINE_ENDS, HOSTS, FIELDS, BODIES)
def compare(
    method: bytes,
    target: bytes,
    version: bytes,
    line_end: bytes,
    host: bytes,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    lines = b"".join(b"".join(field) for field in fields)
    raw = b" ".join((method, target, version)) + line_end + host + lines + b"\r\n" + body
    accepted = read(raw)
    outcomes[accepted is not None] += 1
    if accepted is None:
        return
    head, content = accepted
    # h11 does not support the absolute form, and keeps a higher minor version as it is.
    request, h11_content = h11_reads(re.sub(rb" HTTP/1\.2\r\n", b" HTTP/1.1\r\n", raw, count=1))
    assert request.method.decode() == head.method
    assert content == h11_content
    if target.startswith(b"/"):
        assert request.target == head.path + (b"?" + head.query if head.query else b"")
        # h11 returns names of headers and the transfer coding in lower case too.
        assert [(name, value.lower()) for name, value in request.headers] == [
            (name, value.lower()) for name, value in head.headers
        ]


def test_an_accepted_request_means_the_same_to_another_parser() -> None:
    outcomes.clear()
    compare()
    # Without many accepted and many refused requests, the comparison would prove nothing.
    assert min(outcomes[True], outcomes[False]) > 50
