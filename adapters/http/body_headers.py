"""The headers of a request that describe its body. Each is honoured or refused. If one were ignored, the body could be
stored wrongly, such as a part of a file as the whole, or compressed bytes as the file."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import partial

from adapters.http.errors import UnsupportedContentCoding
from adapters.http.mistakes import Mistakes
from adapters.http.request import AnyRequest
from domain.errors import Invalid

# RFC 9530: the digest of the content, or of the representation. Both are the same here, because Dossier refuses parts
# and content codings. Value: a structured-fields dictionary of byte sequences (RFC 8941 3.2).
_DIGESTS = {b"content-digest": "Content-Digest", b"repr-digest": "Repr-Digest"}
_DIGEST = re.compile(rb"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*")
# These obsolete digest headers (RFC 1864 and RFC 3230) were replaced by the headers above.
_OBSOLETE_DIGESTS = {b"content-md5": "Content-MD5", b"digest": "Digest"}
_STATEMENTS = frozenset((b"content-encoding", b"content-range", *_DIGESTS, *_OBSOLETE_DIGESTS))

Digests = Mapping[str, str]
"""The SHA-256 (lower-case hex) that a body must have, by the name of the header that contains it."""


def read_body_headers(request: AnyRequest, accept_patch: Sequence[str] = ()) -> Digests | None:
    """Return what the headers announce of the body; `None` if they announce nothing.

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
        raise UnsupportedContentCoding(accept_patch)
    mistakes = Mistakes()
    if b"content-range" in stated:
        # RFC 9110 14.5: a server that does not support partial PUT must answer 400.
        mistakes.fields["Content-Range"] = "is not supported; send the whole body in one request, without Content-Range"
    for name, shown in _OBSOLETE_DIGESTS.items():
        if name in stated:
            mistakes.fields[shown] = "is not supported; send Content-Digest with sha-256 (RFC 9530) instead"
    digests = {
        shown: mistakes.reading(partial(_read_digest, shown, stated[name]), "")
        for name, shown in _DIGESTS.items()
        if name in stated
    }
    if len(set(digests.values()) - {""}) > 1:
        mistakes.fields["Repr-Digest"] = "must not contradict Content-Digest"
    mistakes.refuse()
    return digests


def check_digests(announced: Digests, body: bytes) -> None:
    """Return if the body is the one that the headers announce.

    Raises:
        Invalid: naming each header that announces another one.
    """
    found = hashlib.sha256(body).hexdigest()
    if wrong := [name for name, digest in announced.items() if digest != found]:
        raise Invalid(dict.fromkeys(wrong, OTHER_BODY))


OTHER_BODY = "is not that of the body; send the request again"


def _read_digest(name: str, sent: Sequence[bytes]) -> str:
    """Return the SHA-256 in a digest header."""
    digests = [_DIGEST.fullmatch(digest) for digest in b",".join(sent).split(b",")]
    # Digests of other algorithms may be sent too (RFC 9530 2). The SHA-256 is enough.
    values = [digest[2] for digest in digests if digest and digest[1] == b"sha-256"]
    if None in digests or len(values) != 1 or len(decoded := _decoded(values[0])) != 32:
        raise Invalid({name: "must have one SHA-256, as in 'sha-256=:<base64>:' (RFC 9530)"})
    return decoded.hex()


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""
