"""The headers of a request that describe its body: Content-Encoding, and digests. Each is honoured or refused.

`unsupported_headers.py` lists those that are refused, and those that are refused with some values.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import partial

from adapters.http.errors import UnsupportedContentCoding
from adapters.http.mistakes import Mistakes
from domain.errors import Invalid

# RFC 9530: the digest of the content, or of the representation. Both are the same here, because Dossier refuses parts
# and content codings. Value: a structured-fields dictionary of byte sequences (RFC 8941 3.2).
_DIGESTS = {b"content-digest": "Content-Digest", b"repr-digest": "Repr-Digest"}
_DIGEST = re.compile(rb"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*")
# A client for S3 stores may send it to every store. Value: base64.
_S3_DIGEST, _S3_DIGEST_SHOWN = b"x-amz-checksum-sha256", "X-Amz-Checksum-SHA256"
# Part of a signature of an AWS client (Signature Version 4). Value: the SHA-256 in hex, or a word instead of it.
_S3_SIGNED, _S3_SIGNED_SHOWN = b"x-amz-content-sha256", "X-Amz-Content-SHA256"
_HEX_SHA256 = re.compile(rb"[0-9A-Fa-f]{64}")

BODY_HEADERS = frozenset((b"content-encoding", _S3_DIGEST, _S3_SIGNED, *_DIGESTS))
"""The names of these headers in lower case."""

Digests = Mapping[str, str]
"""The SHA-256 (lower-case hex) that a body must have, by the name of the header that contains it."""


def read_body_headers(stated: Mapping[bytes, Sequence[bytes]], accept_patch: Sequence[str] = ()) -> Digests | None:
    """Return what the headers announce of the body; `None` if they announce nothing. `stated`: values by name.

    Raises:
        UnsupportedContentCoding: Content-Encoding is not `identity`.
        Invalid: a digest header has no valid SHA-256, or two contradict each other.
    """
    if BODY_HEADERS.isdisjoint(stated):
        return None
    codings = b",".join(stated.get(b"content-encoding", ())).lower().split(b",")
    if any(coding.strip() not in (b"", b"identity") for coding in codings):
        raise UnsupportedContentCoding(accept_patch)
    mistakes = Mistakes()
    digests = {
        shown: mistakes.reading(partial(_read_digest, shown, stated[name]), "")
        for name, shown in _DIGESTS.items()
        if name in stated
    }
    if _S3_DIGEST in stated:
        digests[_S3_DIGEST_SHOWN] = mistakes.reading(lambda: _read_s3_digest(stated[_S3_DIGEST]), "")
    # `check_supported` refuses the words that say how the body is framed.
    if any(map(_HEX_SHA256.fullmatch, signed := stated.get(_S3_SIGNED, ()))):
        digests[_S3_SIGNED_SHOWN] = mistakes.reading(lambda: _read_signed_digest(signed), "")
    if len(set(digests.values()) - {""}) > 1:
        mistakes.fields[[*digests][-1]] = "must not contradict the other digests"
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


def _read_s3_digest(sent: Sequence[bytes]) -> str:
    if len(sent) != 1 or len(decoded := _decoded(sent[0])) != 32:
        raise Invalid({_S3_DIGEST_SHOWN: "must be one SHA-256 in base64"})
    return decoded.hex()


def _read_signed_digest(sent: Sequence[bytes]) -> str:
    if len(sent) != 1:
        raise Invalid({_S3_SIGNED_SHOWN: "must be sent once"})
    return sent[0].decode().lower()


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""
