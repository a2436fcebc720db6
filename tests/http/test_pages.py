"""Health and the description of the API."""

import json
import re
from dataclasses import replace
from typing import Never

import httpx

from adapters.http.asgi import build
from ports.system import Unavailable
from tests.http.conftest import URL, Api


async def test_live_needs_no_key_and_no_dependency(api: Api) -> None:
    answer = await api.http.get("/health/live", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "live")
    assert "X-RateLimit-Limit" not in answer.headers


async def test_ready_names_what_is_away(api: Api) -> None:
    async def away() -> Never:
        raise Unavailable("canary")

    assert (await api.http.get("/health/ready")).json() == {"data": {"status": "ready", "checks": {"storage": "ok"}}}
    services = replace(api.backends.services(), probes={"database": away, "storage": api.backends.storage.probe})
    transport = httpx.ASGITransport(app=build(services))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        answer = await http.get("/health/ready")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.json()["error"]["details"] == {"checks": {"database": "unavailable", "storage": "ok"}}
        assert "canary" not in answer.text
        assert (await http.get("/health/live")).status_code == 200


async def test_the_description_names_every_route_and_no_schema_is_missing(api: Api) -> None:
    text = (await api.http.get("/openapi.json")).text
    document = json.loads(text)
    assert document["openapi"].startswith("3.1")
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/v1/documents", "post"),
        ("/v1/documents/upload-url", "post"),
        ("/v1/documents/{document_id}", "get"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
    }
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named <= document["components"]["schemas"].keys()


async def test_the_page_names_no_other_host_and_all_its_files_are_there(api: Api) -> None:
    page = await api.http.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 5
    for file in files:
        assert file.startswith("/")
        assert not file.startswith("//")
        assert (await api.http.get(file)).status_code == 200
    assert (await api.http.get("/docs/other.js")).status_code == 404
