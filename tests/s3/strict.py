"""ministack, with what it lacks of AWS' behaviour and our promises need: run by its own Python, see tests/ministack.py.

- A header `x-amz-…` counts only if it is among those that were signed. Without that, who holds an upload URL adds
  `x-amz-copy-source` to it (CVE-2026-54330).
- A download of one version has the type and disposition that were signed, and honours Range, like any other.

`dossier doctor` finds both of a store, so the store that our tests take for a good one must not have them. `LAX=1`
leaves ministack as it is.
"""

import os
import sys
import threading
from typing import Any
from urllib.parse import parse_qs

import ministack.app as ministack  # type: ignore[import-not-found]
import ministack.services.s3 as s3  # type: ignore[import-not-found]

_REFUSAL = (
    b"<Error><Code>AccessDenied</Code>"
    b"<Message>There were headers present in the request which were not signed</Message></Error>"
)


def strict(app: Any) -> Any:
    """The application, behind a check that every header of S3's is signed."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _has_unsigned_header(scope):
            # All of it, as AWS does: who is answered while still sending may miss the answer.
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
    return any(name.startswith(b"x-amz-") and name.decode() not in names for name, _ in scope["headers"])


def like_any_other(get_object: Any) -> Any:
    """Reading an object, where one version of it comes as the object itself would."""

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


def end_with_the_tests() -> None:
    """Wait for the end of standard input, which is theirs: however they end, nothing of them stays."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_tests, daemon=True).start()
    if not os.environ.get("LAX"):
        ministack.app = strict(ministack.app)
        s3._get_object = like_any_other(s3._get_object)
    ministack.main()
