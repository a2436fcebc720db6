"""Uploads and downloads through signed URLs, for an object store without an HTTP server of its own.

Both are streamed in constant memory. A Range (RFC 9110 14) with one part is honoured. A request for several parts gets
the whole file, as the RFC permits.
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

from adapters.http.answer import headers_named
from adapters.http.body import announced_length, upload_pieces
from adapters.http.body_headers import BODY_HEADERS, OTHER_BODY, Digests, read_body_headers
from adapters.http.conditional import (
    UNCONDITIONAL,
    Conditions,
    entity_tag,
    http_date,
    range_applies,
    read_conditions,
)
from adapters.http.errors import RangeNotSatisfiable, SignedForOtherMethod, SignedUrlRefused
from adapters.http.mistakes import Mistakes
from adapters.http.query import query_pairs
from adapters.http.request import AnyRequest, ports_of, use_cases_of
from adapters.http.unsupported_headers import UNSUPPORTED, check_supported
from domain.documents import is_same_media_type
from domain.errors import Invalid, ObjectChanged, PreconditionFailed
from domain.uploads import UPLOAD_LIMIT_BYTES
from ports.storage import DownloadTerms, ServedStorage, UploadMismatch, UploadTerms

# RFC 9110 14.1: range units are compared without case.
_RANGE = re.compile(r"bytes=(\d{0,255})-(\d{0,255})", re.ASCII | re.IGNORECASE)

_SAVED = "sandbox; default-src 'none'"
# Only types that cannot run are shown. The PDF viewers of browsers do not start in a sandbox.
_SHOWN = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; object-src 'self'"


def routes() -> Sequence[HTTPRouteHandler]:
    """Return the routes of signed URLs. They need no API key, because the signature is checked instead."""
    path = "/storage/{path:path}"
    return [
        put(path, status_code=200, include_in_schema=False)(upload),
        route(path, http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=200, include_in_schema=False)(download),
    ]


async def upload(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    storage = _storage_of(request)
    terms = storage.open_upload(path.removeprefix("/"), _query(request), ports_of(request).now())
    if terms is None:
        if storage.open_download(path.removeprefix("/"), _query(request), ports_of(request).now()) is not None:
            raise SignedForOtherMethod("GET", "HEAD")
        raise SignedUrlRefused
    mistakes = Mistakes()
    stated = headers_named(request.scope, BODY_HEADERS | UNSUPPORTED)
    mistakes.reading(lambda: check_supported(stated, request.method), None)
    announced = mistakes.reading(lambda: read_body_headers(stated), None) or {}
    conditions = mistakes.reading(lambda: read_conditions(request), UNCONDITIONAL)
    mistakes.reading(lambda: _check_terms(request, terms, announced), None)
    mistakes.refuse()
    if conditions.if_match is not None:
        # Evaluated before what the URL requires, that there is no file yet (RFC 9110 13.2.2).
        raise PreconditionFailed("An upload never replaces a file, so If-Match cannot hold; leave that header out.")
    expected = replace(terms, sha256=next(iter(announced.values()), terms.sha256))
    receive_upload = use_cases_of(request).receive_upload
    # `UseCases` has it if the ports have a served storage.
    assert receive_upload is not None
    content = upload_pieces(request, UPLOAD_LIMIT_BYTES)
    match await receive_upload(expected, announced_length(request), content):
        case UploadMismatch(term):
            # If a header announces a digest, it is that header which the body contradicts, and not the URL.
            digest = dict.fromkeys(announced, OTHER_BODY) or {"sha256": "of the bytes must be that of this URL"}
            raise Invalid(digest if term == "sha256" else {"Content-Length": _of_the_url(terms)})
        case stored:
            return Response(b"", headers={"ETag": f'"{stored.etag}"'}, media_type="text/plain")


def _check_terms(request: AnyRequest, terms: UploadTerms, announced: Digests) -> None:
    """Return if the headers announce the file that the URL was signed for.

    Raises:
        Invalid: naming each header that announces another one.
    """
    wrong = {
        name: "must be the SHA-256 that this URL was signed for"
        for name, digest in announced.items()
        if terms.sha256 not in (None, digest)
    }
    types = request.headers.getall("content-type", [])
    if len(types) != 1 or not is_same_media_type(types[0], terms.mime_type):
        wrong["Content-Type"] = f"must be {terms.mime_type}, the type this URL was signed for"
    length = announced_length(request)
    if None not in (terms.size_bytes, length) and length != terms.size_bytes:
        wrong["Content-Length"] = _of_the_url(terms)
    if wrong:
        raise Invalid(wrong)


def _of_the_url(terms: UploadTerms) -> str:
    return f"must be {terms.size_bytes}, the size this URL was signed for"


async def download(request: AnyRequest, path: FromPath[str]) -> Response[None] | Response[bytes] | Stream:
    storage = _storage_of(request)
    terms = storage.open_download(path.removeprefix("/"), _query(request), ports_of(request).now())
    if terms is None:
        if storage.open_upload(path.removeprefix("/"), _query(request), ports_of(request).now()) is not None:
            raise SignedForOtherMethod("PUT")
        raise SignedUrlRefused
    conditions = read_conditions(request)
    found = await storage.find(terms.path)
    if found is None or found.stored.etag != terms.stored.etag:
        raise ObjectChanged
    return _serve(request, storage, terms, conditions, found.modified_at)


def _storage_of(request: AnyRequest) -> ServedStorage:
    storage = ports_of(request).served_storage
    # `build` adds these routes only for a store that Dossier serves itself.
    assert storage is not None
    return storage


def _serve(
    request: AnyRequest, storage: ServedStorage, terms: DownloadTerms, conditions: Conditions, modified_at: datetime
) -> Response[None] | Response[bytes] | Stream:
    size, tag = terms.stored.size_bytes, terms.stored.etag
    validators = {**entity_tag(tag), "Last-Modified": http_date(modified_at), "Cache-Control": "private, no-store"}
    if conditions.is_not_modified(tag, modified_at):
        return Response(None, status_code=304, headers=validators)
    headers = {
        **validators,
        "Accept-Ranges": "bytes",
        "Content-Disposition": terms.disposition,
        "Content-Type": terms.mime_type,
        # A browser must not execute the file.
        "Content-Security-Policy": _SHOWN if terms.disposition.startswith("inline") else _SAVED,
    }
    status, start, stop = 200, 0, size
    # This comes after the preconditions, because If-Range is evaluated last (RFC 9110 13.2.2).
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
    """Return the start and stop of the requested bytes; `None` for the whole file.

    The range is empty if it begins after the end of the file.
    """
    # Range is no list that could be sent in several fields (RFC 9110 14.2): two of them are malformed, and ignored.
    sent = request.headers.getall("range", [])
    match = _RANGE.fullmatch(sent[0]) if len(sent) == 1 else None
    # Range is defined for GET alone (RFC 9110 14.2).
    if request.method != "GET" or not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    # A Range for the whole of an empty file gets the empty file, and not 416.
    if size == 0 and first.strip("0") == "":
        return None
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def _query(request: AnyRequest) -> Mapping[str, str]:
    pairs = query_pairs(request)
    # A query that repeats a name is ambiguous. It is read as an empty query, which the signature check refuses.
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
