"""Signed URLs of a directory store. The query contains the terms, and an HMAC-SHA256 of method, path and query."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import DownloadTerms, SignedRequest, UploadTerms


@dataclass(frozen=True, slots=True)
class SignedUrls:
    """Signs URLs with `key`, and reads the terms of signed URLs."""

    public_url: str
    key: bytes

    def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        """Return a PUT that stores bytes under these terms."""
        query = {"expires": _seconds(expires_at), "type": terms.mime_type}
        if terms.size_bytes is not None:
            query["length"] = str(terms.size_bytes)
        if terms.sha256 is not None:
            query["sha256"] = terms.sha256
        url = self._sign("PUT", terms.path, query)
        return SignedRequest(method="PUT", url=url, headers={"Content-Type": terms.mime_type}, expires_at=expires_at)

    def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest:
        """Return a GET that serves the bytes under these terms."""
        query = {
            "expires": _seconds(expires_at),
            "type": terms.mime_type,
            "disposition": terms.disposition,
            "length": str(terms.stored.size_bytes),
            "etag": terms.stored.etag,
        }
        url = self._sign("GET", terms.path, query)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    def open_upload(self, path: str, query: Mapping[str, str], at: datetime) -> UploadTerms | None:
        """Return the terms of a PUT; `None` if the URL was altered or has expired."""
        if not self._is_signed("PUT", path, query, at):
            return None
        return UploadTerms(
            path=StoragePath(path),
            mime_type=query["type"],
            size_bytes=int(query["length"]) if "length" in query else None,
            sha256=query.get("sha256"),
        )

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        """Return the terms of a GET; `None` if the URL was altered or has expired."""
        if not self._is_signed("GET", path, query, at):
            return None
        return DownloadTerms(
            path=StoragePath(path),
            stored=StoredObject(size_bytes=int(query["length"]), etag=query["etag"]),
            mime_type=query["type"],
            disposition=query["disposition"],
        )

    def _sign(self, method: str, path: StoragePath, query: Mapping[str, str]) -> str:
        encoded_path, encoded_query = quote(path), _encode(query)
        signature = self._signature(method, encoded_path, encoded_query)
        return f"{self.public_url}/storage/{encoded_path}?{encoded_query}&signature={signature}"

    def _is_signed(self, method: str, path: str, query: Mapping[str, str], at: datetime) -> bool:
        signed = {name: value for name, value in query.items() if name != "signature"}
        expected = self._signature(method, quote(path), _encode(signed)).encode()
        return hmac.compare_digest(query.get("signature", "").encode(), expected) and (
            at < datetime.fromtimestamp(int(signed["expires"]), UTC)
        )

    def _signature(self, method: str, path: str, query: str) -> str:
        return hmac.digest(self.key, f"{method}\n{path}\n{query}".encode(), "sha256").hex()


def _encode(query: Mapping[str, str]) -> str:
    """Encode parameters in a canonical form, independent of their order. Separators in values are percent-encoded."""
    return urlencode(sorted(query.items()), quote_via=quote)


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
