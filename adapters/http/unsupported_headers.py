"""The headers of other servers and protocols that would change what a request means. They are refused.

If one were ignored, a part of a file would be stored as the whole file, an AWS SDK's framing as its content, or a copy
as an empty file. A client that sends a digest relies on the comparison, and one that misspells Idempotency-Key relies
on its retry being recognised.
"""

import re
from collections.abc import Mapping, Sequence

from domain.errors import Invalid

_WHOLE = "is not supported; send the whole body in one request, without this header"
_AS_IS = "is not supported; send the bytes as they are, without this header"
_COPY = "is not supported; send the bytes in the body, without this header"
_METHOD = "is not supported; send the request with that method, without this header"
_DIGEST = "is not supported; send Content-Digest with sha-256 (RFC 9530) instead"
_RETRY = "is not a header of this API; did you mean Idempotency-Key?"

_METHODS = ("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override")

_UNSUPPORTED = {
    # RFC 9110 14.5: a server that does not support partial PUT must answer 400.
    **dict.fromkeys(("Content-Range", "X-Content-Range"), _WHOLE),
    # Drafts of resumable uploads (draft-ietf-httpbis-resumable-upload), and ownCloud's chunks.
    **dict.fromkeys(("Upload-Complete", "Upload-Incomplete", "Upload-Offset", "OC-Chunked"), _WHOLE),
    # An AWS SDK frames the body if it signs or checksums it piece by piece.
    **dict.fromkeys(("Content-Transfer-Encoding", "X-Amz-Content-SHA256", "X-Amz-Decoded-Content-Length"), _AS_IS),
    **dict.fromkeys(("X-Amz-Copy-Source", "X-Goog-Copy-Source", "X-Ms-Copy-Source"), _COPY),
    **dict.fromkeys(_METHODS, _METHOD),
    # RFC 1864 and RFC 3230, which RFC 9530 replaces, and the digests of object stores.
    **dict.fromkeys(("Content-MD5", "Digest", "OC-Checksum", "X-Goog-Hash", "X-Ms-Blob-Content-MD5"), _DIGEST),
    **dict.fromkeys(("X-Amz-Checksum-CRC32", "X-Amz-Checksum-CRC32C", "X-Amz-Checksum-CRC64NVME"), _DIGEST),
    **dict.fromkeys(("X-Amz-Checksum-SHA1", "X-Checksum-Sha1", "X-Checksum-Sha256"), _DIGEST),
    **dict.fromkeys(("Idempotence-Key", "X-Idempotence-Key", "X-Idempotency-Key"), _RETRY),
}
"""The reason for each refusal, by the name of the header."""

_HARMLESS = {
    b"upload-complete": re.compile(rb"\?1"),
    b"upload-incomplete": re.compile(rb"\?0"),
    b"upload-offset": re.compile(rb"0"),
    # RFC 2045 6.1: the values are compared without case.
    b"content-transfer-encoding": re.compile(rb"7bit|8bit|binary", re.IGNORECASE),
    # Every request that is signed with AWS Signature Version 4 has this header. `body_headers.py` compares a SHA-256.
    b"x-amz-content-sha256": re.compile(rb"UNSIGNED-PAYLOAD|[0-9A-Fa-f]{64}"),
}
"""The values with which a header changes nothing. A header of `_METHODS` changes nothing if it names the method."""

_SHOWN = {name.lower().encode(): name for name in _UNSUPPORTED}

UNSUPPORTED = frozenset(_SHOWN)
"""The names of these headers in lower case."""


def check_supported(stated: Mapping[bytes, Sequence[bytes]], method: str) -> None:
    """Return if none of these headers of a request with this method is unsupported. `stated`: values by name in lower
    case.

    Raises:
        Invalid: naming each that is.
    """
    wrong = {
        (shown := _SHOWN[name]): _UNSUPPORTED[shown]
        for name, values in stated.items()
        if name in _SHOWN and not all(_is_harmless(name, value, method) for value in values)
    }
    if wrong:
        raise Invalid(wrong)


def _is_harmless(name: bytes, value: bytes, method: str) -> bool:
    if _SHOWN[name] in _METHODS:
        return value.decode("latin-1").upper() == method
    return name in _HARMLESS and _HARMLESS[name].fullmatch(value) is not None
