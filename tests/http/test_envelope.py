"""What every response has, whatever its status and route."""

import logging
import re
from dataclasses import replace
from typing import Never

import httpx
import pytest

from adapters.http.asgi import build
from adapters.http.errors import STATUS
from domain.errors import Refusal
from domain.rate_limits import Plan, Window
from domain.use_cases import UseCases
from ports.system import Unavailable
from tests.http.conftest import PLANS, URL, Api

RATE = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
ULID = "01HY0000000000000000000000"
ROUTES = [
    ("GET", "/v1/nowhere"),
    ("GET", "/nowhere"),
    ("DELETE", "/v1/documents"),
    ("POST", "/v1/documents"),
    ("POST", "/v1/documents/upload-url"),
    ("GET", f"/v1/documents/doc_{ULID}"),
    ("GET", "/v1/documents/nonsense"),
    ("PATCH", f"/v1/documents/doc_{ULID}"),
]


def subclasses(kind: type[Refusal]) -> set[type[Refusal]]:
    return {kind} | {deeper for child in kind.__subclasses__() for deeper in subclasses(child)}


def test_every_refusal_has_a_status_a_code_and_a_message() -> None:
    assert STATUS.keys() == subclasses(Refusal) - {Refusal}
    for refusal in STATUS:
        assert refusal.code
        assert refusal.message is not Refusal.message


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_error_has_the_envelope_a_request_id_and_the_rate_headers(api: Api, method: str, path: str) -> None:
    answer = await api.http.request(method, path)
    assert answer.status_code in (400, 404, 405, 415)
    assert list(answer.json()) == ["error"]
    error = answer.json()["error"]
    assert error.keys() - {"details"} == {"code", "message", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{26}", error["request_id"])
    assert answer.headers["Content-Type"] == "application/json"
    assert set(map(str.lower, RATE)) <= answer.headers.keys()


async def test_405_names_what_is_allowed(api: Api) -> None:
    answer = await api.http.delete("/v1/documents")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


async def test_404s_are_equal_but_for_the_request_id(api: Api) -> None:
    paths = ["/v1/nowhere", f"/v1/documents/doc_{ULID}", "/v1/documents/nonsense", f"/v1/documents/doc_{ULID.lower()}"]
    answers = [await api.http.get(path, headers={"X-Request-ID": "same"}) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("sent", ["a", "A-z_0.9", "x" * 128])
async def test_a_wellformed_request_id_is_kept(api: Api, sent: str) -> None:
    answer = await api.http.get("/health/live", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent", ["", "x" * 129, "a b", "a\tb", "a\x1b[31m", "ä", "a;b", "{}", "a\x7f", "a,b", "wbk_x", "x.wbk_1"]
)
async def test_any_other_request_id_is_replaced(api: Api, sent: str) -> None:
    answer = await api.http.get("/health/live", headers=[(b"X-Request-ID", sent.encode())])
    assert answer.headers["X-Request-ID"].startswith("req_")


async def test_wrong_keys_are_told_one_thing(api: Api) -> None:
    minted = await api.service.use_cases.mint_api_key(workspace=api.workspace.id, name="k", granted=["read:documents"])
    await api.service.ports.api_keys.revoke(api.workspace.id, minted.key.id, api.clock(), None)
    path = f"/v1/documents/doc_{ULID}"
    wrong: list[list[tuple[str, str]]] = [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer wbk_")],
        [("Authorization", "Basic dXNlcjpwYXNz")],
        [("Authorization", f"Bearer {minted.secret}")],
        [("Authorization", f"Bearer {minted.secret[:-1]}x")],
        [("Authorization", "Bearer \xe9")],
        [("Authorization", f"Bearer {minted.secret}"), ("Authorization", f"Bearer {minted.secret}")],
    ]
    del api.http.headers["Authorization"]
    bodies = set()
    for headers in wrong:
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        answer = await api.http.get(path, headers=[*encoded, (b"X-Request-ID", b"same")])
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert not set(map(str.lower, RATE)) & answer.headers.keys()
        bodies.add(answer.content)
    assert len(bodies) == 1


async def test_the_rate_limit_counts_down_and_then_refuses(api: Api) -> None:
    plans = dict.fromkeys(Plan, (Window(2, 60), Window(100, 86_400)))
    app = build(UseCases.of(api.service.ports, plans), api.service.ports)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=await api.key()) as http:
        answers = [await http.get("/v1/nowhere") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        refused = answers[-1]
        assert refused.json()["error"]["code"] == "rate_limited"
        assert refused.json()["error"]["details"] == {"retry_after": 60}
        assert refused.headers["Retry-After"] == "60"
        api.clock.advance(seconds=60)
        assert (await http.get("/v1/nowhere")).status_code == 404


@pytest.mark.parametrize("failure", [RuntimeError("canary"), Unavailable("canary"), KeyError("canary")])
async def test_a_failure_of_ours_leaks_nothing(api: Api, failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        async def find(self, digest: bytes) -> Never:
            raise failure

    ports = replace(api.service.ports, api_key_lookup=Failing())  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=build(UseCases.of(ports, PLANS), ports))  # type: ignore[arg-type]
    headers = dict(api.http.headers)
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as http:
        with caplog.at_level(logging.CRITICAL):
            answer = await http.get("/v1/nowhere")
    assert answer.status_code in (500, 503)
    assert "canary" not in answer.text + str(answer.headers)
    assert list(answer.json()) == ["error"]
    assert ("Retry-After" in answer.headers) == (answer.status_code == 503)


async def test_a_failure_behind_the_router_leaks_nothing(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        async def get(self, workspace: str, document: str) -> Never:
            raise RuntimeError("canary")

    ports = replace(api.service.ports, documents=Failing())  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=build(UseCases.of(ports, PLANS), ports), raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=dict(api.http.headers)) as http:
        with caplog.at_level(logging.CRITICAL):
            answer = await http.get(f"/v1/documents/doc_{ULID}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/documents", "GET, OPTIONS, POST"),
        (f"/v1/documents/doc_{ULID}", "DELETE, GET, OPTIONS, PATCH"),
        ("/v1/folders", "GET, OPTIONS, PATCH"),
        (f"/v1/api-keys/key_{ULID}", "DELETE, OPTIONS"),
    ],
)
async def test_options_and_a_wrong_method_are_told_every_method_of_the_path(api: Api, path: str, methods: str) -> None:
    reported, refused = await api.http.options(path), await api.http.put(path)
    assert (reported.status_code, reported.headers["Allow"]) == (204, methods)
    assert (refused.status_code, refused.headers["Allow"]) == (405, methods)
