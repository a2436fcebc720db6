"""The headers of a request that describe its body. Each is honoured or refused. If one were ignored, the body could be
stored wrongly, such as a part of a file as the whole, or compressed bytes as the file."""

import base64
import re
from collections.abc import Sequence

from adapters.http.errors import UnsupportedContentCoding
from adapters.http.request import AnyRequest
from domain.errors import Invalid

# RFC 9530: the digest of the content, or of the representation. Both are the same here, because Dossier refuses parts
# and content codings. Value: a structured-fields dictionary of byte sequences (RFC 8941 3.2).
_DIGESTS = (b"content-digest", b"repr-digest")
_DIGEST = re.compile(rb"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*")
# These obsolete digest headers (RFC 1864 and RFC 3230) were replaced by the headers above.
_OBSOLETE_DIGESTS = (b"content-md5", b"digest")
_STATEMENTS = frozenset((b"content-encoding", b"content-range", *_DIGESTS, *_OBSOLETE_DIGESTS))


def read_body_headers(request: AnyRequest) -> str | None:
    """Return the SHA-256 (lower-case hex) that the body must have; `None` if no header has one.

    Raises:
        UnsupportedContentCoding: Content-Encoding is not `identity`.
        Invalid: Content-Range says that the body is a part, or a digest header has no valid SHA-256.
    """
    # Nearly every request has none of these headers. Every create runs this, so one pass over the headers must find
    # that out.
    stated: dict[bytes, list[bytes]] = {}
    for name, value in request.scope["headers"]:
        if name in _STATEMENTS:
            stated.setdefault(name, []).append(value)
    if not stated:
        return None
    codings = b",".join(stated.get(b"content-encoding", ())).lower().split(b",")
    if any(coding.strip() not in (b"", b"identity") for coding in codings):
        raise UnsupportedContentCoding
    if b"content-range" in stated:
        # RFC 9110 14.5: a server that does not support partial PUT must answer 400.
        raise Invalid({"Content-Range": "is not supported; send the whole body in one request, without Content-Range"})
    for name in _OBSOLETE_DIGESTS:
        if name in stated:
            raise Invalid(
                {name.decode().title(): "is not supported; send Content-Digest with sha-256 (RFC 9530) instead"}
            )
    digests = {digest for name in _DIGESTS for digest in _read_digests(name, stated.get(name, ()))}
    if len(digests) > 1:
        raise Invalid({"Content-Digest": "must not contradict Repr-Digest"})
    return digests.pop() if digests else None


def _read_digests(name: bytes, sent: Sequence[bytes]) -> list[str]:
    """Return the SHA-256 in a digest header; an empty list without the header."""
    if not sent:
        return []
    digests = [_DIGEST.fullmatch(digest) for digest in b",".join(sent).split(b",")]
    # Digests of other algorithms may be sent too (RFC 9530 2). The SHA-256 is enough.
    values = [digest[2] for digest in digests if digest and digest[1] == b"sha-256"]
    if None in digests or len(values) != 1 or len(decoded := _decoded(values[0])) != 32:
        raise Invalid({name.decode().title(): "must have one SHA-256, as in 'sha-256=:<base64>:' (RFC 9530)"})
    return [decoded.hex()]


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""
