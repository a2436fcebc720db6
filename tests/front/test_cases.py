"""Each request of the table gets its responses, and leaves the connection in the promised state.

In process each is sent byte by byte, because it must not matter where a piece ends; to a real server, at once.
"""

import pytest
from litestar.types import ASGIApp

from tests.acceptance.client import Client
from tests.acceptance.raw import Answer
from tests.acceptance.tenants import Tenants
from tests.http.conftest import Api

from .cases import CASES, Case
from .driven import Server
from .wire import PROBE, Wire, target_of


def has_its_answers(case: Case, answers: list[Answer | None]) -> None:
    assert [answer and answer.status for answer in answers] == list(case.statuses)
    last = answers[-1]
    assert last is not None
    assert last.headers["x-request-id"]
    if case.part is not None:
        assert list(last.error["details"]["fields"]) == [case.part]
    if last.status >= 400:
        assert last.error["request_id"] == last.headers["x-request-id"]
    assert (last.headers.get("connection") == "close") is not case.is_kept


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_request_sent_byte_by_byte_gets_the_expected_responses(case: Case, api: Api, app: ASGIApp) -> None:
    raw = case.raw
    if b"@upload@" in raw:
        raw = raw.replace(b"@upload@", target_of((await api.signed_upload())["upload_url"]))
    connection = Server(app).connect()
    await connection.send(raw, size=1 if len(raw) < 5000 else 997)
    has_its_answers(case, [*connection.responses()])
    assert connection.is_open is case.is_kept
    if case.is_kept:
        await connection.send(PROBE)
        assert connection.statuses() == [200]


@pytest.fixture(scope="module")
def client(own_tenants: Tenants) -> Client:
    return own_tenants.client()


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_to_a_real_server_gets_the_expected_responses(case: Case, wire: Wire, client: Client) -> None:
    raw = case.raw
    if b"@upload@" in raw:
        raw = raw.replace(b"@upload@", target_of(client.sign_upload().upload_url))
    wire.send(raw)
    has_its_answers(case, [wire.response() for _ in case.statuses])
    assert wire.is_kept() is case.is_kept
