"""Each path has one spelling. Every other spelling is 404, as any unknown path is."""

import pytest
from litestar.types import ASGIApp

from tests.acceptance.raw import Answer
from tests.http.conftest import Api

from .driven import Server

ALIASES = [
    *("//metrics", "/metrics/", "/%6detrics", "/%6Detrics", "/metrics%2F", "/metrics;a", "/./metrics", "/x/../metrics"),
    *("/METRICS", "/metrics%00", "/metrics%20", "/health//live", "/health/live/", "/health/%6cive", "/health%2Flive"),
    *("//health/live", "/docs/", "//docs", "/%64ocs", "/docs//start.js", "/openapi.json/", "//openapi.json", "//"),
    *("/v1/usage/", "//v1/usage", "/v1//usage", "/v1/%75sage", "/v1/documents/", "/%761/documents"),
    *("/v1/documents/upload%2Durl", "/v1/documents//link", "/v1/documents/doc_01HY0000000000000000000000%2Flink"),
    *("/.%2Fmetrics", "/%2Fdocs"),
]


async def ask(app: ASGIApp, path: str, *, method: str = "GET", authorization: str = "") -> Answer:
    """Return the response to a request for the path exactly as it is written."""
    connection = Server(app).connect()
    fields = ["Host: a", *([f"Authorization: {authorization}"] if authorization else [])]
    await connection.send("\r\n".join((f"{method} {path} HTTP/1.1", *fields, "", "")).encode())
    (response,) = connection.responses()
    return response


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ALIASES)
async def test_another_spelling_of_an_address_is_unknown(app: ASGIApp, path: str, method: str) -> None:
    answer = await ask(app, path, method=method)
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.headers["x-request-id"] == answer.error["request_id"]


async def test_another_spelling_of_an_open_page_counts_against_the_rate_limit(app: ASGIApp, api: Api) -> None:
    key = (await api.key())["Authorization"]
    for path in ("//metrics", "/metrics/", "/%6detrics"):
        assert "x-ratelimit-limit" in (await ask(app, path, authorization=key)).headers
