"""The table of the message rules, which an HTTP/1.1 request must obey: the section, the field and the required form.

If two servers repair a malformed message differently, they disagree about where it ends, and a part of the body becomes
a request (request smuggling, RFC 9112 11.2). So this server repairs nothing. It answers a request that breaks a rule of
this table with 400, and closes the connection, because the beginning of the next request is unknown.

Two sections recommend other statuses: 501 for an unknown transfer coding (RFC 9112 6.1) and 505 for another version
(RFC 9110 15.6.6). Both are 400 here, because a 5xx would report a mistake of the client as a failure of the server.
"""

from dataclasses import dataclass

from domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class MessageRule:
    """One row: the section that defines it, the part of a message that it concerns, and the required form of that
    part."""

    section: str
    part: str
    must: str

    def broken(self) -> Invalid:
        """Return the error for a message that breaks this rule. It is a new object each time, because raising an
        exception changes it."""
        return Invalid({self.part: f"{self.must} ({self.section})"})


REQUEST_LINE = MessageRule(
    "RFC 9112 3", "request line", "must be a method, a percent-encoded target and HTTP/1.1, with one space in between"
)
VERSION = MessageRule("RFC 9112 2.3", "request line", "must end with HTTP/1.1 or HTTP/1.0, which this server speaks")
TARGET = MessageRule(
    "RFC 9112 3.2", "request line", "must have a path or an http URL as its target; this server is not a proxy"
)
LINE_END = MessageRule(
    "RFC 9112 2.2", "request", "must end each line of its head with CR LF and contain no other CR or LF"
)
FOLDED = MessageRule("RFC 9112 5.2", "header", "must not be continued on a second line")
SPACE_BEFORE_COLON = MessageRule("RFC 9112 5.1", "header", "must have no white space before its colon")
FIELD = MessageRule("RFC 9110 5.1 and 5.5", "header", "must be a name, a colon and a value without control characters")
HOST_ONCE = MessageRule("RFC 9112 3.2", "Host", "must be sent exactly once")
HOST = MessageRule("RFC 9110 7.2", "Host", "must be a host name or address, with or without a port")
LENGTH = MessageRule("RFC 9110 8.6", "Content-Length", "must be sent at most once, as one decimal number")
CODING = MessageRule(
    "RFC 9112 6.1", "Transfer-Encoding", "must be exactly 'chunked': this server knows no other coding"
)
CODING_OR_LENGTH = MessageRule("RFC 9112 6.3", "Transfer-Encoding", "must not be sent together with Content-Length")
CODING_VERSION = MessageRule("RFC 9112 6.1", "Transfer-Encoding", "needs HTTP/1.1; with HTTP/1.0 send Content-Length")
EXPECT = MessageRule("RFC 9110 10.1.1", "Expect", "must be 100-continue, the only expectation that is defined")
CHUNK_LINE = MessageRule(
    "RFC 9112 7.1", "chunk", "must begin with its size in hexadecimal digits, optional extensions and CR LF"
)
CHUNK_SIZE = MessageRule("RFC 9112 7.1", "chunk", "must have a size of at most 15 hexadecimal digits")
CHUNK_END = MessageRule("RFC 9112 7.1", "chunk", "must end with CR LF after as many bytes as its size says")
CHUNK_TOO_LONG = MessageRule("RFC 9112 7.1.1", "chunk", "must have short extensions, or none")
TRAILER = MessageRule("RFC 9112 7.1.2", "trailer", "must be header lines of at most 8 KiB altogether")
