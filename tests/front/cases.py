"""The table of requests, by sections of RFC 9112 and RFC 9110: the bytes that are sent, the expected response, and
whether the connection is open afterwards.

`@upload@` stands for the target of a signed upload URL, to which `Content-Type: text/plain` must be sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

KEPT, CLOSED = True, False

HOST = b"Host: dossier.example"
TEXT = b"Content-Type: text/plain"
CHUNKED = b"Transfer-Encoding: chunked"


@dataclass(frozen=True)
class Case:
    """One row. `part` is the part of the message that a 400 must name in `details.fields`."""

    section: str
    name: str
    raw: bytes
    statuses: tuple[int, ...]
    is_kept: bool
    part: str | None = None

    def __str__(self) -> str:
        return f"{self.section}: {self.name}"


def head(*fields: bytes, line: bytes = b"GET /health/live HTTP/1.1") -> bytes:
    return b"\r\n".join((line, *fields)) + b"\r\n\r\n"


def get(*fields: bytes, target: bytes = b"/health/live", version: bytes = b"1.1") -> bytes:
    return head(HOST, *fields, line=b"GET %b HTTP/%b" % (target, version))


def put(*fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return head(HOST, TEXT, *fields, line=b"PUT @upload@ HTTP/" + version) + body


def chunks(body: bytes) -> bytes:
    return put(CHUNKED, body=body)


def accepted(section: str, name: str, raw: bytes, *statuses: int, is_kept: bool = KEPT) -> Case:
    return Case(section, name, raw, statuses or (200,), is_kept)


def refused(section: str, name: str, raw: bytes, part: str | None, status: int = 400) -> Case:
    """The connection is always closed after such a refusal, because the end of the request is unknown."""
    return Case(section, name, raw, (status,), CLOSED, part)


LINE, FIELD = "request line", "header"
SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: smuggled\r\n\r\n"


def _messages() -> Iterator[Case]:
    yield accepted("9112 2.2", "an empty line before the request line", b"\r\n" + get())
    yield accepted("9112 2.2", "many empty lines before the request line", b"\r\n" * 9 + get())
    yield refused("9112 2.2", "a line of one LF before the request line", b"\n" + get(), "request")
    yield refused("9112 2.2", "LF alone ends every line", get().replace(b"\r\n", b"\n"), "request")
    yield refused("9112 2.2", "LF alone ends one field", get(b"X-A: 1\nX-B: 2"), "request")
    yield refused("9112 2.2", "LF alone ends the request line", get().replace(b"\r\n", b"\n", 1), "request")
    yield refused("9112 2.2", "CR alone in a value", get(b"X-A: 1\rX-B: 2"), "request")
    yield refused("9112 2.2", "CR alone in the request line", get(target=b"/health\r/live"), "request")
    yield refused("9112 2.2", "white space before the first field", head(b" X-A: 1", HOST), FIELD)
    yield accepted("9110 2.5", "a higher minor version", get(version=b"1.2"))
    yield refused("9110 2.5", "a higher major version", get(version=b"2.0"), LINE)
    yield refused("9112 2.3", "a version of two digits", get(version=b"1.10"), LINE)
    yield refused("9112 2.3", "a version in lower case", get().replace(b"HTTP", b"http"), LINE)
    yield refused("9112 2.3", "no version: HTTP/0.9", b"GET /health/live\r\n", LINE)
    yield refused("9112 2.3", "version 0.9", get(version=b"0.9"), LINE)
    yield refused("9113 3.4", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", LINE)
    yield refused("8446 4", "the greeting of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", LINE)


def _request_lines() -> Iterator[Case]:
    yield refused("9112 3", "two spaces", get().replace(b" ", b"  ", 1), LINE)
    yield refused("9112 3", "a tab", get().replace(b" ", b"\t", 1), LINE)
    yield refused("9112 3", "a space at the end", head(HOST, line=b"GET /health/live HTTP/1.1 "), LINE)
    yield refused("9112 3", "a space at the beginning", b" " + get(), LINE)
    yield refused("9112 3", "no target", head(HOST, line=b"GET HTTP/1.1"), LINE)
    yield refused("9112 3", "a space in the target", get(target=b"/health/live now"), LINE)
    yield refused("9112 3.1", "a method that is no token", head(HOST, line=b"GE(T /health/live HTTP/1.1"), LINE)
    yield accepted("9110 9.1", "a method in lower case", head(HOST, line=b"get /health/live HTTP/1.1"), 405)
    yield accepted("9110 9.1", "an unknown method", head(HOST, line=b"PURGE /health/live HTTP/1.1"), 405)
    yield accepted("9110 9.3.8", "TRACE, which would echo API keys", head(HOST, line=b"TRACE / HTTP/1.1"), 405)
    yield refused("9112 3.2", "a fragment", get(target=b"/health/live#now"), LINE)
    yield refused("9112 3.2", "bytes that are not ASCII", get(target="/health/livé".encode()), LINE)
    yield refused("9112 3.2", "NUL in the target", get(target=b"/health/\0live"), LINE)
    yield refused("9112 3.2", "a relative path", get(target=b"health/live"), LINE)
    yield accepted("9112 3.2.2", "the absolute form", get(target=b"http://a.example:8000/health/live"))
    yield accepted("9112 3.2.2", "the absolute form without a path", get(target=b"HTTP://a.example?a=b"), 302)
    yield refused("9112 3.2.2", "the absolute form without a host", get(target=b"http:///health/live"), LINE)
    yield refused("9112 3.2.2", "the absolute form of another scheme", get(target=b"ftp://a/health/live"), LINE)
    yield refused("9110 4.2.4", "user information", get(target=b"http://a@b/health/live"), LINE)
    yield refused("9112 3.2.3", "CONNECT", head(HOST, line=b"CONNECT a.example:443 HTTP/1.1"), LINE)
    yield refused("9112 3.2.3", "the authority form", get(target=b"a.example:443"), LINE)
    yield accepted("9112 3.2.4", "OPTIONS *", head(HOST, line=b"OPTIONS * HTTP/1.1"), 204)
    yield refused("9112 3.2.4", "GET *", get(target=b"*"), LINE)
    yield accepted("9110 4.1", "a target of 16 KiB", get(target=b"/" + b"a" * 16383), 404)
    yield refused("9110 4.1", "a target over 16 KiB", get(target=b"/" + b"a" * 16384), None, 414)
    yield refused("9110 4.1", "a target over 16 KiB without an end", b"GET /" + b"a" * 20000, None, 414)


def _hosts() -> Iterator[Case]:
    yield refused("9112 3.2", "no Host", head(), "Host")
    yield refused("9112 3.2", "two equal Hosts", head(HOST, HOST), "Host")
    yield refused("9112 3.2", "two Hosts in another letter case", head(HOST, b"HOST: other"), "Host")
    yield refused("9112 3.2", "no Host beside an absolute form", head(line=b"GET http://a/ HTTP/1.1"), "Host")
    yield accepted("9112 3.2", "HTTP/1.0 without Host", head(line=b"GET /health/live HTTP/1.0"), is_kept=CLOSED)
    yield refused("9112 3.2", "HTTP/1.0 with two Hosts", head(HOST, HOST, line=b"GET / HTTP/1.0"), "Host")
    for host in (b"a", b"a.example:8000", b"a.example:", b"[::1]:80", b"127.0.0.1", b"xn--bcher-kva.example", b""):
        yield accepted("9110 7.2", f"Host {host.decode()!r}", head(b"Host: " + host))
    for host in (b"a b", b"a, b", b"a/b", b"u@a", b"a:b", b"a:80:80", b"[::1", b"[a]x", b"b\xfccher", b"a?b", b"a%zz"):
        yield refused("9110 7.2", f"Host {host!r}", head(b"Host: " + host), "Host")


def _fields() -> Iterator[Case]:
    yield refused("9112 5.1", "white space before the colon", get(b"X-A : 1"), FIELD)
    yield refused("9112 5.1", "a tab before the colon", get(b"Content-Length\t: 0"), FIELD)
    yield refused("9112 5", "no colon", get(b"X-A"), FIELD)
    yield refused("9110 5.1", "an empty name", get(b": 1"), FIELD)
    yield refused("9110 5.1", "a name that is no token", get(b"X/A: 1"), FIELD)
    yield refused("9112 5.2", "a folded line", get(b"X-A: 1\r\n 2"), FIELD)
    yield refused("9112 5.2", "a folded line that hides a length", get(b"X-A: 1\r\n\tContent-Length: 5"), FIELD)
    for character in (0x00, 0x01, 0x08, 0x0B, 0x1B, 0x7F):
        yield refused("9110 5.5", f"character {character:02X} in a value", get(b"X-A: a%cb" % character), FIELD)
    yield accepted("9110 5.5", "a tab in a value", get(b"X-A: a\tb"))
    yield accepted("9110 5.5", "UTF-8 in a value", get("X-A: é".encode()))
    yield accepted("9110 5.5", "an empty value", get(b"X-A:"))
    yield accepted("9110 5.5", "white space around a value", get(b"X-A: \t 1 \t "))
    yield accepted("9110 5.4", "a head of 64 KiB", get(b"X-A: " + b"a" * (65536 - len(get(b"X-A: ")))))
    yield refused("9110 5.4", "a head over 64 KiB", get(b"X-A: " + b"a" * (65537 - len(get(b"X-A: ")))), None, 431)
    yield refused("9110 5.4", "a head without an end", get()[:-2] + b"X-A: " + b"a" * 300_000, None, 431)
    yield accepted("6585 5", "256 fields", get(*[b"X-A: 1"] * 255))
    yield refused("6585 5", "257 fields", get(*[b"X-A: 1"] * 256), None, 431)


def _framings() -> Iterator[Case]:
    length = b"Content-Length: "
    yield accepted("9112 6.2", "a Content-Length", put(length + b"5", body=b"hello"))
    yield accepted("9112 6.2", "a Content-Length with zeros", put(length + b"0005", body=b"hello"))
    yield accepted("9112 6.3", "no framing means no body", put())
    for value in (b"", b"+5", b"-5", b"5.0", b"0x5", b"5 5", b"5, 5", b"5,", b"five", b"\xb2"):
        yield refused("9110 8.6", f"Content-Length {value!r}", put(length + value, body=SMUGGLED), "Content-Length")
    yield refused("9112 6.3", "two equal lengths", put(length + b"5", length + b"5", body=b"hello"), "Content-Length")
    yield refused("9112 6.3", "two lengths", put(length + b"5", length + b"50", body=SMUGGLED), "Content-Length")
    yield refused("9110 8.6", "a length of twenty digits", put(length + b"9" * 20), None, 413)
    yield refused("9110 8.6", "a length of 5,000 digits", put(length + b"9" * 5000), None, 413)
    both = "Transfer-Encoding"
    yield refused("9112 6.3", "a length and a coding", put(length + b"5", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED), both)
    yield refused("9112 6.1", "a coding in HTTP/1.0", put(CHUNKED, body=b"0\r\n\r\n", version=b"1.0"), both)
    codings = (b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"identity", b"xchunked", b"chunked;a")
    for coding in (*codings, b"", b",chunked", b'"chunked"', b"chunked\x85"):
        raw = put(b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n" + SMUGGLED)
        yield refused("9112 6.1", f"Transfer-Encoding {coding!r}", raw, both)
    yield refused("9112 6.1", "two codings", put(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), both)
    yield accepted("9112 7", "a coding in capitals", put(b"TRANSFER-ENCODING: Chunked", body=b"0\r\n\r\n"))


def _chunks() -> Iterator[Case]:
    yield accepted("9112 7.1", "two chunks", chunks(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"))
    yield accepted("9112 7.1", "a size with zeros and capitals", chunks(b"000A\r\n0123456789\r\n000\r\n\r\n"))
    yield accepted("9112 7.1.1", "an extension", chunks(b'5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n'))
    yield accepted("9112 7.1.2", "a trailer", chunks(b"0\r\nX-Request-ID: trailer\r\nHost: other\r\n\r\n"))
    broken = {
        "no size": b"\r\nhello\r\n0\r\n\r\n",
        "a size that is not hexadecimal": b"5g\r\nhello\r\n0\r\n\r\n",
        "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
        "a size after a space": b" 5\r\nhello\r\n0\r\n\r\n",
        "a size of 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        "a size line that ends with LF": b"5\nhello\r\n0\r\n\r\n",
        "an extension that ends with LF": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        "an extension with a control character": b"5;a\x01\r\nhello\r\n0\r\n\r\n",
        "an extension of 300 bytes": b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n",
        "an extension without an end": b"5;" + b"a" * 100_000,
        "a chunk longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
        "a chunk that ends with LF": b"5\r\nhello\n0\r\n\r\n",
    }
    for name, body in broken.items():
        yield refused("9112 7.1", name, chunks(body), "chunk")
    yield refused("9112 7.1.2", "a trailer that is no field", chunks(b"0\r\nnothing\r\n\r\n"), "trailer")
    yield refused("9112 7.1.2", "a trailer that ends with LF", chunks(b"0\r\nX-A: 1\n\r\n\r\n"), "trailer")
    yield refused("9112 7.1.2", "a trailer over 8 KiB", chunks(b"0\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n"), "trailer")


def _connections() -> Iterator[Case]:
    yield accepted("9112 9.3", "keep-alive is the default", get())
    yield accepted("9112 9.3", "close", get(b"Connection: close"), is_kept=CLOSED)
    yield accepted("9110 7.6.1", "close in capitals and a list", get(b"Connection: a, CLOSE ,b"), is_kept=CLOSED)
    yield accepted("9110 7.6.1", "close in a second field", get(b"Connection: a", b"Connection: close"), is_kept=CLOSED)
    yield accepted("9112 9.3", "HTTP/1.0", get(version=b"1.0"), is_kept=CLOSED)
    yield accepted(
        "9112 9.3", "HTTP/1.0 with keep-alive", get(b"Connection: keep-alive", version=b"1.0"), is_kept=CLOSED
    )
    yield accepted("9112 9.3.2", "three requests at once", get() * 3, 200, 200, 200)
    yield accepted(
        "9112 9.3.2", "a body and a request at once", put(b"Content-Length: 5", body=b"hello") + get(), 200, 200
    )
    yield accepted("9112 9.3.2", "chunks and a request at once", chunks(b"1\r\na\r\n0\r\n\r\n") + get(), 200, 200)
    yield accepted("9112 9.3.2", "a request after close", get(b"Connection: close") + get(), is_kept=CLOSED)
    yield Case("9112 9.3.2", "a malformed request after a valid one", get() + head(), (200, 400), CLOSED, "Host")
    yield accepted(
        "9112 2.2", "an empty line after a body", put(b"Content-Length: 5", body=b"hello\r\n") + get(), 200, 200
    )
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    size = b"Content-Length: %d" % len(SMUGGLED)
    yield accepted("9110 7.8", "h2c with a body", put(*upgrade, size, body=SMUGGLED))
    yield accepted("9110 7.8", "h2c with chunks", put(*upgrade, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"))
    yield accepted("9110 7.8", "h2c without a body", get(*upgrade))
    yield accepted("9110 7.8", "h2c without a body and a request", get(*upgrade) + get(), 200, 200)
    yield accepted("9110 7.8", "a WebSocket", get(b"Connection: Upgrade", b"Upgrade: websocket"))
    yield accepted("9110 10.1.1", "100-continue without a body", get(b"Expect: 100-Continue"))
    yield accepted("9110 10.1.1", "100-continue with its body", put(b"Expect: 100-continue", size, body=SMUGGLED))
    yield refused("9110 10.1.1", "another expectation", get(b"Expect: 200-ok"), "Expect")
    yield accepted(
        "9110 10.1.1",
        "100-continue in HTTP/1.0",
        put(b"Expect: 100-continue", b"Content-Length: 1", body=b"a", version=b"1.0"),
        is_kept=CLOSED,
    )
    yield accepted("9110 9.3.1", "a GET with a body", get(size) + SMUGGLED)


CASES = (
    *_messages(),
    *_request_lines(),
    *_hosts(),
    *_fields(),
    *_framings(),
    *_chunks(),
    *_connections(),
)
