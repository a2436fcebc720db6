"""Each address has one spelling. Every other spelling is 404 like any unknown address, and needs no open door."""

import pytest
from litestar.types import ASGIApp

from .driven import Server
from .wire import Response

ALIASES = [
    *("//metrics", "/metrics/", "/%6detrics", "/%6Detrics", "/metrics%2F", "/metrics;a", "/./metrics", "/x/../metrics"),
    *("/METRICS", "/metrics%00", "/metrics%20", "/health//live", "/health/live/", "/health/%6cive", "/health%2Flive"),
    *("//health/live", "/docs/", "//docs", "/%64ocs", "/docs//start.js", "/openapi.json/", "//openapi.json", "//"),
    *("/v1/usage/", "//v1/usage", "/v1//usage", "/v1/%75sage", "/v1/documents/", "/%761/documents"),
    *("/v1/documents/upload%2Durl", "/v1/documents//link", "/v1/documents/doc_01HY0000000000000000000000%2Flink"),
    *("/.%2Fmetrics", "/%2Fdocs"),
]


async def ask(app: ASGIApp, path: str, *, method: str = "GET", key: str = "", body: bytes = b"") -> Response:
    """Return the response to a request for the path exactly as it is written."""
    connection = Server(app).connect()
    fields = ["Host: a", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    fields += [f"Authorization: Bearer {key}"] if key else []
    await connection.send("\r\n".join((f"{method} {path} HTTP/1.1", *fields, "", "")).encode() + body)
    (response,) = connection.responses()
    return response


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ALIASES)
async def test_another_spelling_of_an_address_is_unknown(app: ASGIApp, path: str, method: str) -> None:
    answer = await ask(app, path, method=method)
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.headers["x-request-id"] == answer.error["request_id"]


@pytest.mark.parametrize("path", ["//metrics", "/metrics/", "/%6detrics"])
async def test_another_spelling_of_an_open_page_counts_against_the_rate_limit(
    app: ASGIApp, key: str, path: str
) -> None:
    assert "x-ratelimit-limit" in (await ask(app, path, key=key)).headers


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json"])
async def test_an_open_page_is_answered_in_its_own_spelling(app: ASGIApp, path: str) -> None:
    assert (await ask(app, path)).status == 200


async def test_a_parameter_may_be_percent_encoded(app: ASGIApp, key: str) -> None:
    created = await ask(app, "/v1/contacts/caf%C3%A9%20%63/documents", key=key)
    assert created.status == 200
