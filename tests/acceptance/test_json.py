"""The bodies of every operation that reads one: strict JSON of at most 64 KiB with the media type of JSON.

tests/http/test_body.py proves what the parser accepts; these tests prove that every operation uses the parser.
"""

import gzip
import json
from collections.abc import Iterator

import pytest

from .client import Client, error_of
from .operations import CREATE, WITH_A_BODY, Operation
from .raw import message, send

LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}
each_operation = pytest.mark.parametrize("operation", WITH_A_BODY, ids=str)


@each_operation
def test_a_body_of_64_kib_is_read_and_one_byte_more_is_413(manager: Client, operation: Operation) -> None:
    def chunked(body: bytes) -> Iterator[bytes]:
        yield from (body[start : start + 8000] for start in range(0, len(body), 8000))

    for encode in (bytes, chunked):
        call = operation.call(manager)
        good = json.dumps(call.body).encode()
        too_long, fits = encode(good.ljust(LIMIT + 1)), encode(good.ljust(LIMIT))
        error_of(manager.request(call.method, call.path, content=too_long, headers=JSON), 413, "payload_too_large")
        accepted = manager.request(call.method, call.path, content=fits, headers=JSON)
        assert accepted.status_code == operation.success


@pytest.mark.server
def test_a_declared_length_over_the_limit_is_413_at_once(manager: Client) -> None:
    headers = [
        *(("Authorization", f"Bearer {manager.key}".encode()), ("Content-Type", b"application/json")),
        ("Content-Length", str(LIMIT + 1).encode()),
    ]
    answer = send(manager.base_url, message(manager.base_url, "POST", CREATE.path.encode(), headers))
    assert answer is not None
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (413, "payload_too_large")


@each_operation
def test_a_wrong_or_missing_content_type_and_a_compressed_body_are_415(manager: Client, operation: Operation) -> None:
    call = operation.call(manager)
    body = json.dumps(call.body).encode()
    for kind in ("text/plain", "application/json-patch+json", "application/json, text/plain", "*/*", ""):
        answer = manager.send(call.method, call.path, body, {"Content-Type": kind})
        error_of(answer, 415, "unsupported_media_type")
    error_of(manager.request(call.method, call.path, content=body), 415, "unsupported_media_type")
    answer = manager.send(call.method, call.path, gzip.compress(body), {"Content-Encoding": "gzip"})
    error_of(answer, 415, "unsupported_media_type")
    accepted = call.send(manager, {"Content-Type": "Application/JSON ;charset=UTF-8"})
    assert accepted.status_code == operation.success
