"""The signed URLs of a store without a server of its own: uploads and downloads, streamed in constant memory.

Range is RFC 9110 14: one range of bytes; a request for several gets the whole, as the RFC allows.
"""

import re
from collections.abc import Mapping

from litestar import Response, Router, put, route
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.response import Stream

from adapters.http.body import AnyRequest, query_pairs, upload_pieces
from adapters.http.errors import ObjectExists, RangeNotSatisfiable, SignedUrlRefused
from domain.errors import Invalid, ObjectChanged
from domain.use_cases.request_upload import UPLOAD_LIMIT_BYTES
from ports.storage import AlreadyStored, DownloadTerms, ServedStorage, UploadMismatch
from ports.system import Clock

_RANGE = re.compile(r"bytes=(\d{0,255})-(\d{0,255})", re.ASCII)


def links_router(storage: ServedStorage, now: Clock) -> Router:
    """`/storage/…`, where the signed URLs point."""

    @put("/{path:path}", status_code=200)
    async def upload(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
        terms = storage.open_upload(path.removeprefix("/"), _query(request), now())
        if terms is None:
            raise SignedUrlRefused
        if request.headers.getall("content-type", []) != [terms.mime_type]:
            raise Invalid({"Content-Type": f"must be {terms.mime_type}, the type this link was made for"})
        length = request.headers.get("content-length")
        if terms.size_bytes is not None and length not in (None, str(terms.size_bytes)):
            raise Invalid({"Content-Length": f"must be {terms.size_bytes}, the size this link was made for"})
        match await storage.write(terms, upload_pieces(request, UPLOAD_LIMIT_BYTES)):
            case AlreadyStored():
                raise ObjectExists
            case UploadMismatch(what, why):
                raise Invalid({what: why})
            case stored:
                return Response(b"", headers={"ETag": f'"{stored.etag}"'}, media_type="text/plain")

    @route("/{path:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=200)
    async def download(request: AnyRequest, path: FromPath[str]) -> Response[bytes] | Stream:
        terms = storage.open_download(path.removeprefix("/"), _query(request), now())
        if terms is None:
            raise SignedUrlRefused
        found = await storage.stat(terms.path)
        if found is None or found.etag != terms.stored.etag:
            raise ObjectChanged
        return await _serve(request, storage, terms)

    return Router("/storage", route_handlers=[upload, download])


async def _serve(request: AnyRequest, storage: ServedStorage, terms: DownloadTerms) -> Response[bytes] | Stream:
    size = terms.stored.size_bytes
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": terms.disposition,
        "Content-Type": terms.mime_type,
        "ETag": f'"{terms.stored.etag}"',
        # Whatever the type says, a browser shall not guess another, nor run what it holds.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    status, start, stop = 200, 0, size
    if (asked := _range(request, size, headers["ETag"])) is not None:
        start, stop = asked
        if start >= stop:
            raise RangeNotSatisfiable(size)
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(b"", status_code=status, headers=headers)
    return Stream(storage.read(terms, start, stop), status_code=status, headers=headers)


def _range(request: AnyRequest, size: int, etag: str) -> tuple[int, int] | None:
    """The bytes asked for as start and stop, empty when none of them is there; `None` for all of them."""
    if request.headers.get("if-range", etag) != etag:
        return None
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    # Range is defined for GET alone (RFC 9110 14.2).
    if request.method != "GET" or not match or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def _query(request: AnyRequest) -> Mapping[str, str]:
    pairs = query_pairs(request)
    # A repeated name is refused rather than resolved.
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
