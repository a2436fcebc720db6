"""The S3 headers and query parameters for the terms of uploads and downloads, and those that describe a stored
object."""

import base64
import binascii
from collections.abc import Mapping


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
    """Return the query of a download with this media type and disposition, and of this version if one is given."""
    query = {"response-content-type": mime_type, "response-content-disposition": disposition}
    return query if version_id is None else {**query, "versionId": version_id}


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
