"""What the headers of a request say about its body. Each statement is understood or refused, because a body that is
read without it may be another one: a fragment, or compressed bytes."""

import base64
import re

from adapters.http.answer import header_values
from adapters.http.errors import UnsupportedContentCoding
from adapters.http.request import AnyRequest
from domain.errors import Invalid

# RFC 9530: the digest of the content, or of the representation. Both are the same here, because Dossier refuses parts
# and content codings. Value: a structured-fields dictionary of byte sequences (RFC 8941 3.2).
_DIGESTS = ("content-digest", "repr-digest")
_DIGEST = re.compile(rb"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*")
# Digests in forms that the newer fields have replaced: RFC 1864 and RFC 3230.
_OBSOLETE_DIGESTS = ("content-md5", "digest")


def read_body_headers(request: AnyRequest) -> str | None:
    """Return the SHA-256 (lower-case hex) that the body must have; `None` if the headers announce none.

    Raises:
        UnsupportedContentCoding: Content-Encoding is not `identity`.
        Invalid: the body is announced as a part, or with a digest other than one SHA-256.
    """
    codings = b",".join(header_values(request.scope, b"content-encoding")).lower().split(b",")
    if any(coding.strip() not in (b"", b"identity") for coding in codings):
        raise UnsupportedContentCoding
    if header_values(request.scope, b"content-range"):
        # RFC 9110 14.5: a server that does not support partial PUT must answer 400.
        raise Invalid({"Content-Range": "is not supported; send the whole body in one request, without Content-Range"})
    for name in _OBSOLETE_DIGESTS:
        if header_values(request.scope, name.encode()):
            raise Invalid({name.title(): "is not supported; send Content-Digest with sha-256 (RFC 9530) instead"})
    digests = {digest for name in _DIGESTS for digest in _read_digests(request, name)}
    if len(digests) > 1:
        raise Invalid({"Content-Digest": "must not contradict Repr-Digest"})
    return digests.pop() if digests else None


def _read_digests(request: AnyRequest, name: str) -> list[str]:
    """Return the SHA-256 in a digest header; an empty list without the header."""
    if not (sent := header_values(request.scope, name.encode())):
        return []
    digests = [_DIGEST.fullmatch(digest) for digest in b",".join(sent).split(b",")]
    # Other algorithms may stand beside SHA-256 (RFC 9530 2): then that one is enough.
    values = [digest[2] for digest in digests if digest and digest[1] == b"sha-256"]
    if None in digests or len(values) != 1 or len(decoded := _decoded(values[0])) != 32:
        raise Invalid({name.title(): "must have one SHA-256, as in 'sha-256=:<base64>:' (RFC 9530)"})
    return [decoded.hex()]


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""
