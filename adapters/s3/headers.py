"""The S3 headers and query parameters for the terms of uploads and downloads, and those that describe a stored
object."""

import base64
import binascii
from collections.abc import Mapping

IDENTITY = "identity"
"""The Content-Encoding that downloads have: no client decodes it."""

CACHE_CONTROL = "private, no-store"
"""The Cache-Control that downloads have: a signed URL expires, and a cached response would not."""

# Some stores keep the name of the framing in which an AWS SDK sent the body. It is not an encoding of the stored bytes.
_HARMLESS_ENCODINGS = {"", IDENTITY, "aws-chunked"}
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")


def upload_headers(mime_type: str, size_bytes: int | None, sha256: str | None) -> dict[str, str]:
    """Return the headers that an upload must send. Length and SHA-256 (hex) are included only if the client declared
    them."""
    headers = {
        # Runs of white space are replaced by one space, because the signature covers the value in this form, and a
        # proxy may send it so.
        "Content-Type": " ".join(mime_type.split()),
        # So the URL stores an object only once and cannot replace one.
        "If-None-Match": "*",
    }
    if size_bytes is not None:
        headers["Content-Length"] = str(size_bytes)
    if sha256 is not None:
        headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
        # Ceph verifies and keeps the checksum only if the request also names its algorithm.
        headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
    return headers


def download_query(mime_type: str, disposition: str, version_id: str | None) -> dict[str, str]:
    """Return the query of a download with this media type and disposition, and of this version if one is given.

    The response must not have the headers with which the object was uploaded: no signature binds them.
    """
    query = {
        "response-content-type": mime_type,
        "response-content-disposition": disposition,
        # A reader would decode the bytes, and get others than those of the record.
        "response-content-encoding": IDENTITY,
        # This also overrules a stored Expires (RFC 9111 5.3). A stored Content-Language changes no bytes, and every
        # value that could replace it would be a wrong statement.
        "response-cache-control": CACHE_CONTROL,
    }
    return query if version_id is None else {**query, "versionId": version_id}


def obstacle_of(headers: Mapping[str, str]) -> str | None:
    """Return why readers would not get the bytes of the object, from the headers of a HEAD; `None` if they would.

    It is the rest of a sentence that begins with the object.
    """
    encoding = headers.get("Content-Encoding", "")
    if encoding and not _HARMLESS_ENCODINGS.issuperset(coding.strip() for coding in encoding.lower().split(",")):
        return f"has the header Content-Encoding: {encoding[:80]}, so readers would decode it"
    if "x-amz-website-redirect-location" in headers:
        return "has the header x-amz-website-redirect-location, so readers could be sent elsewhere"
    storage_class = headers.get("x-amz-storage-class")
    # A restored copy of an archived object can be read: `ongoing-request="false"`.
    if storage_class in _ARCHIVES and 'ongoing-request="false"' not in headers.get("x-amz-restore", ""):
        return f"is in the storage class {storage_class}, which must be restored before it can be read"
    return None


def in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names, as a signature lists them."""
    return {name.lower(): value for name, value in headers.items()}


def sha256_of(headers: Mapping[str, str]) -> str | None:
    """Return the SHA-256 (hex) of the whole object; `None` if the store has none, or only a checksum over parts."""
    encoded = headers.get("x-amz-checksum-sha256")
    if encoded is None or headers.get("x-amz-checksum-type", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        # A checksum over parts ends with their number, as in "…-3".
        return None
    return digest.hex() if len(digest) == 32 else None


def version_of(headers: Mapping[str, str]) -> str | None:
    """Return the version id of the object; `None` if the object has no version that is safe from replacement."""
    version_id = headers.get("x-amz-version-id")
    # The version "null" was stored before versions were enabled or while they were suspended, and can be replaced.
    return None if version_id in ("null", "") else version_id
