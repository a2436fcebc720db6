"""Each request of the table, sent to a real server, has its answers and leaves the connection in the promised state."""

from urllib.parse import urlsplit

import pytest

from tests.acceptance.client import Client
from tests.acceptance.tenants import Tenants

from .cases import CASES, Case
from .wire import Wire

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture(scope="module")
def client(tenants: Tenants) -> Client:
    return tenants.client()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_has_the_answers_and_the_end_that_the_table_says(case: Case, wire: Wire, client: Client) -> None:
    raw = case.raw
    if b"@upload@" in raw:
        where = urlsplit(client.sign_upload("a.txt", "text/plain").upload_url)
        raw = raw.replace(b"@upload@", f"{where.path}?{where.query}".encode())
    wire.send(raw)
    answers = [wire.response() for _ in case.statuses]
    assert [answer and answer.status for answer in answers] == list(case.statuses)
    last = answers[-1]
    assert last is not None
    assert last.headers["x-request-id"]
    if case.part is not None:
        assert list(last.error["details"]["fields"]) == [case.part]
    if last.status >= 400:
        assert last.error["request_id"] == last.headers["x-request-id"]
    assert (last.headers.get("connection") == "close") is not case.is_kept
    assert wire.is_kept() is case.is_kept
