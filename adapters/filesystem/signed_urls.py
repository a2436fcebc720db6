"""Links to the files: their terms in the query, signed with HMAC-SHA256, because Dossier serves them itself."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.storage import DownloadTerms, SignedRequest, UploadTerms


@dataclass(frozen=True, slots=True)
class Links:
    """Signs links, and reads what they say. Whoever knows `secret` can do the same."""

    public_url: str
    secret: bytes

    def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        """A PUT link."""
        query = {"expires": _seconds(expires_at), "type": terms.mime_type}
        if terms.size_bytes is not None:
            query["length"] = str(terms.size_bytes)
        if terms.sha256 is not None:
            query["sha256"] = terms.sha256
        url = self._sign("PUT", terms.path, query)
        return SignedRequest(method="PUT", url=url, headers={"Content-Type": terms.mime_type}, expires_at=expires_at)

    def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest:
        """A GET link."""
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
        """The terms of a PUT link; `None` when it was changed or has expired."""
        if not self._is_signed("PUT", path, query, at):
            return None
        return UploadTerms(
            path=StoragePath(path),
            mime_type=query["type"],
            size_bytes=int(query["length"]) if "length" in query else None,
            sha256=query.get("sha256"),
        )

    def open_download(self, path: str, query: Mapping[str, str], at: datetime) -> DownloadTerms | None:
        """The terms of a GET link; `None` when it was changed or has expired."""
        if not self._is_signed("GET", path, query, at):
            return None
        return DownloadTerms(
            path=StoragePath(path),
            stored=StoredObject(size_bytes=int(query["length"]), etag=query["etag"]),
            mime_type=query["type"],
            disposition=query["disposition"],
        )

    def _sign(self, method: str, path: StoragePath, query: Mapping[str, str]) -> str:
        path_as_sent, query_as_sent = quote(path), _encode(query)
        signature = self._signature(method, path_as_sent, query_as_sent)
        return f"{self.public_url}/storage/{path_as_sent}?{query_as_sent}&signature={signature}"

    def _is_signed(self, method: str, path: str, query: Mapping[str, str], at: datetime) -> bool:
        bound = {name: value for name, value in query.items() if name != "signature"}
        wanted = self._signature(method, quote(path), _encode(bound)).encode()
        return hmac.compare_digest(query.get("signature", "").encode(), wanted) and (
            at < datetime.fromtimestamp(int(bound["expires"]), UTC)
        )

    def _signature(self, method: str, path: str, query: str) -> str:
        return hmac.digest(self.secret, f"{method}\n{path}\n{query}".encode(), "sha256").hex()


def _encode(query: Mapping[str, str]) -> str:
    """One text for one set of parameters, whatever order they come in: no value can hold a separator."""
    return urlencode(sorted(query.items()), quote_via=quote)


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
