"""The headers and parameters of S3 that bind uploads and downloads, and those that say what is stored."""

import base64
import binascii
from collections.abc import Mapping


def upload_headers(mime_type: str, size_bytes: int | None, sha256: str | None) -> dict[str, str]:
    """What an upload must be sent with; the length and the SHA-256 (hex) where they are known beforehand."""
    headers = {
        # As signatures read it, whoever folds white space on the way.
        "Content-Type": " ".join(mime_type.split()),
        # A URL that was used cannot be used again, and bytes that are there cannot be replaced.
        "If-None-Match": "*",
    }
    if size_bytes is not None:
        headers["Content-Length"] = str(size_bytes)
    if sha256 is not None:
        headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
        # Ceph verifies and keeps the checksum only if its algorithm is named too.
        headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
    return headers


def download_query(mime_type: str, disposition: str, version_id: str | None) -> dict[str, str]:
    """What a download is asked for with, so that it comes as this type and disposition, and of this version only."""
    query = {"response-content-type": mime_type, "response-content-disposition": disposition}
    return query if version_id is None else {**query, "versionId": version_id}


def in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers named as signatures name them."""
    return {name.lower(): value for name, value in headers.items()}


def sha256_of(headers: Mapping[str, str]) -> str | None:
    """The SHA-256 of the whole object in hex, if the store has that one: not that of its parts' checksums."""
    encoded = headers.get("x-amz-checksum-sha256")
    if encoded is None or headers.get("x-amz-checksum-type", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        # The checksum of parts says how many there were: "…-3".
        return None
    return digest.hex() if len(digest) == 32 else None


def version_of(headers: Mapping[str, str]) -> str | None:
    """The version that lies there, if nothing can replace it."""
    version_id = headers.get("x-amz-version-id")
    # "null" lay there before the bucket had versions, or came while they were suspended, and can be replaced.
    return None if version_id in ("null", "") else version_id
