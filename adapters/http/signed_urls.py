"""Uploads and downloads through signed URLs, for an object store without an HTTP server of its own.

Both are streamed in constant memory. A Range (RFC 9110 14) of one part is honoured; a request for several parts gets
the whole file, as the RFC allows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from litestar import Response, put, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from adapters.http.answer import header_values
from adapters.http.body import upload_pieces
from adapters.http.body_headers import read_body_headers
from adapters.http.conditional import entity_tag, http_date, is_not_modified, range_applies
from adapters.http.errors import RangeNotSatisfiable, SignedUrlRefused
from adapters.http.query import query_pairs
from adapters.http.request import AnyRequest, ports_of, use_cases_of
from domain.documents import is_same_media_type
from domain.errors import Invalid, ObjectChanged, PreconditionFailed
from domain.uploads import UPLOAD_LIMIT_BYTES
from ports.storage import DownloadTerms, ServedStorage

# RFC 9110 14.1: range units are compared without case.
_RANGE = re.compile(r"bytes=(\d{0,255})-(\d{0,255})", re.ASCII | re.IGNORECASE)

_SAVED = "sandbox; default-src 'none'"
# Only types that cannot run are shown. The PDF viewers of browsers do not start in a sandbox.
_SHOWN = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; object-src 'self'"


def routes() -> Sequence[HTTPRouteHandler]:
    """Return the routes that signed URLs point to. They need no API key: the signature is checked instead."""
    path = "/storage/{path:path}"
    return [
        put(path, status_code=200, include_in_schema=False)(upload),
        route(path, http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=200, include_in_schema=False)(download),
    ]


async def upload(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    storage = _storage_of(request)
    terms = storage.open_upload(path.removeprefix("/"), _query(request), ports_of(request).now())
    if terms is None:
        raise SignedUrlRefused
    if header_values(request.scope, b"if-match"):
        # An upload never replaces an object, so none can match (RFC 9110 13.1.1).
        raise PreconditionFailed
    announced = read_body_headers(request)
    if terms.sha256 is not None and announced not in (None, terms.sha256):
        raise Invalid({"Content-Digest": "must be the SHA-256 that this URL was signed for"})
    if announced is not None:
        terms = replace(terms, sha256=announced)
    types = request.headers.getall("content-type", [])
    if len(types) != 1 or not is_same_media_type(types[0], terms.mime_type):
        raise Invalid({"Content-Type": f"must be {terms.mime_type}, the type this URL was signed for"})
    length = request.headers.get("content-length")
    if terms.size_bytes is not None and length not in (None, str(terms.size_bytes)):
        raise Invalid({"Content-Length": f"must be {terms.size_bytes}, the size this URL was signed for"})
    receive_upload = use_cases_of(request).receive_upload
    # `UseCases` has it if the ports have a served storage.
    assert receive_upload is not None
    content = upload_pieces(request, UPLOAD_LIMIT_BYTES)
    stored = await receive_upload(terms, None if length is None else int(length), content)
    return Response(b"", headers={"ETag": f'"{stored.etag}"'}, media_type="text/plain")


async def download(request: AnyRequest, path: FromPath[str]) -> Response[None] | Response[bytes] | Stream:
    storage = _storage_of(request)
    terms = storage.open_download(path.removeprefix("/"), _query(request), ports_of(request).now())
    if terms is None:
        raise SignedUrlRefused
    found, modified_at = await storage.stat(terms.path), await storage.modified_at(terms.path)
    if found is None or found.etag != terms.stored.etag or modified_at is None:
        raise ObjectChanged
    return _serve(request, storage, terms, modified_at)


def _storage_of(request: AnyRequest) -> ServedStorage:
    storage = ports_of(request).served_storage
    # `build` adds these routes only for such a store.
    assert storage is not None
    return storage


def _serve(
    request: AnyRequest, storage: ServedStorage, terms: DownloadTerms, modified_at: datetime
) -> Response[None] | Response[bytes] | Stream:
    size, tag = terms.stored.size_bytes, terms.stored.etag
    validators = {**entity_tag(tag), "Last-Modified": http_date(modified_at), "Cache-Control": "private, no-store"}
    if is_not_modified(request, tag, modified_at):
        return Response(None, status_code=304, headers=validators)
    headers = {
        **validators,
        "Accept-Ranges": "bytes",
        "Content-Disposition": terms.disposition,
        "Content-Type": terms.mime_type,
        # A browser must neither guess another type nor execute the file.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _SHOWN if terms.disposition.startswith("inline") else _SAVED,
    }
    status, start, stop = 200, 0, size
    # After the preconditions: If-Range is evaluated last (RFC 9110 13.2.2).
    if range_applies(request, tag, modified_at) and (requested := _range(request, size)) is not None:
        start, stop = requested
        if start >= stop:
            raise RangeNotSatisfiable(size)
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(b"", status_code=status, headers=headers)
    return Stream(storage.read(terms, start, stop), status_code=status, headers=headers)


def _range(request: AnyRequest, size: int) -> tuple[int, int] | None:
    """Return the requested bytes as start and stop, `None` for the whole file.

    The range is empty if the file ends before it.
    """
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    # Range is defined for GET alone (RFC 9110 14.2).
    if request.method != "GET" or not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    # A request for all of an empty file has an answer: the empty file.
    if size == 0 and first.strip("0") == "":
        return None
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def _query(request: AnyRequest) -> Mapping[str, str]:
    pairs = query_pairs(request)
    # A query with a repeated name is ambiguous. Without any parameter, the signature check refuses it.
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
