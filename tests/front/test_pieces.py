"""The table of requests at the level of the protocol, each sent byte by byte: where a piece ends must not matter."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from litestar.types import ASGIApp

from adapters.in_process.system import utc_now
from app.wiring import Service
from domain.paths import StoragePath
from ports.storage import UploadTerms

from .cases import CASES, Case
from .driven import Server


async def upload_target(service: Service) -> bytes:
    """Return the target of a signed URL."""
    path = StoragePath(f"workspaces/w/{uuid4()}")
    terms = UploadTerms(path=path, mime_type="text/plain", size_bytes=None, sha256=None)
    signed = await service.ports.storage.sign_upload(terms, utc_now() + timedelta(minutes=1))
    url = urlsplit(signed.url)
    return f"{url.path}?{url.query}".encode()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_request_in_pieces_has_the_same_answers_and_the_same_end(
    case: Case, service: Service, app: ASGIApp
) -> None:
    raw = case.raw
    if b"@upload@" in raw:
        raw = raw.replace(b"@upload@", await upload_target(service))
    connection = Server(app).connect()
    await connection.send(raw, size=1 if len(raw) < 5000 else 997)
    answers = connection.responses()
    assert [answer.status for answer in answers] == list(case.statuses)
    if case.part is not None:
        assert list(answers[-1].error["details"]["fields"]) == [case.part]
    assert connection.is_open is case.is_kept
    if case.is_kept:
        await connection.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.statuses() == [200]
