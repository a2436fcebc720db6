"""ministack with the rules of AWS and Ceph that it does not have by itself. It runs on a Python of its own.

- An unsigned `x-amz-…` header is refused. Otherwise the holder of an upload URL could add `x-amz-copy-source` to it
  (CVE-2026-54330). An unsigned `Content-Type` is refused too, as by Ceph 20.2.4.
- A bucket with the policy of docs/storage.md refuses copies.
- A download of one version has the signed type and disposition and honours Range, as every other download does.
- In a racing bucket, whose name contains `racing`, a condition is compared with the objects that existed when the
  upload began, as by Ceph in a bucket with versions. All uploads that begin before the first has ended are accepted.

The tests need a store that passes every check. See `tests/ministack.py` for how it is started.
"""

import asyncio
import os
import sys
import threading
import time
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import ministack.app as ministack  # type: ignore[import-not-found]
import ministack.services.s3 as s3  # type: ignore[import-not-found]

_REFUSAL = (
    b"<Error><Code>AccessDenied</Code>"
    b"<Message>There were headers present in the request which were not signed</Message></Error>"
)


_RACE_SECONDS = 0.3
"""How long an upload to a racing bucket takes. All uploads that begin within this time are accepted."""

_began: ContextVar[float | None] = ContextVar("_began", default=None)
"""When the request began, if it is for a racing bucket."""


def strict(app: Any) -> Any:
    """Refuse unsigned S3 headers before the application sees them."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            races = b"racing" in scope["raw_path"].split(b"/")[1]
            _began.set(time.monotonic() if races else None)
            if races and scope["method"] == "PUT":
                await asyncio.sleep(_RACE_SECONDS)
        if scope["type"] == "http" and _has_unsigned_header(scope):
            # Reads the whole body first, as AWS does: a client that is still sending could miss the response.
            while (await receive()).get("more_body"):
                pass
            headers = [(b"content-type", b"application/xml"), (b"content-length", str(len(_REFUSAL)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
        else:
            await app(scope, receive, send)

    return checked


def _has_unsigned_header(scope: Any) -> bool:
    signed = parse_qs(scope["query_string"].decode()).get("X-Amz-SignedHeaders")
    if signed is None:
        return False
    names = set(signed[0].split(";"))
    return any(
        (name.startswith(b"x-amz-") or name == b"content-type") and name.decode() not in names
        for name, _ in scope["headers"]
    )


def stamped(build_object_record: Any) -> Any:
    """Wrap the function that builds the record of an object, so that the record has the time of storage."""

    def build(*given: Any, **named: Any) -> Any:
        return {**build_object_record(*given, **named), "stored_at": time.monotonic()}

    return build


def racing(check_put_preconditions: Any) -> Any:
    """Compare the condition of an upload to a racing bucket with the objects that existed when the request began."""

    def check(headers: Any, existing: Any) -> Any:
        began = _began.get()
        is_new = existing is not None and began is not None and existing.get("stored_at", 0) > began
        return check_put_preconditions(headers, None if is_new else existing)

    return check


def obeying_the_policy(copy_object: Any) -> Any:
    """Refuse copies if the policy of the bucket denies them; ministack does not know the condition."""

    def copy(bucket: str, key: str, headers: Any) -> Any:
        if "s3:x-amz-copy-source" in str(s3._bucket_policies.get(bucket, "")):
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}")
        return copy_object(bucket, key, headers)

    return copy


def with_response_headers(get_object: Any) -> Any:
    """Let a download of one version honour the signed response headers and Range."""

    def get(bucket: str, key: str, headers: Any, query: Any = None) -> Any:
        status, answered, body = get_object(bucket, key, headers, query)
        if status != 200 or "versionId" not in (query or {}):
            return status, answered, body
        s3._apply_response_overrides(answered, query)
        if found := s3._parse_range(headers.get("range", ""), len(body)):
            start, end = found
            answered["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            answered["Content-Length"] = str(end + 1 - start)
            return 206, answered, body[start : end + 1]
        return status, answered, body

    return get


def exit_with_the_tests() -> None:
    """Exit when standard input is closed, which happens however the test process ends."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=exit_with_the_tests, daemon=True).start()
    ministack.app = strict(ministack.app)
    s3._get_object = with_response_headers(s3._get_object)
    s3._copy_object = obeying_the_policy(s3._copy_object)
    s3._build_object_record = stamped(s3._build_object_record)
    s3._check_put_preconditions = racing(s3._check_put_preconditions)
    ministack.main()
