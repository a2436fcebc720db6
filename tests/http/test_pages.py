"""The description of the API."""

import json
import re

from tests.http.conftest import Api


async def test_the_description_names_every_route_and_no_schema_is_missing(api: Api) -> None:
    text = (await api.http.get("/openapi.json")).text
    document = json.loads(text)
    assert document["openapi"].startswith("3.1")
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/v1/documents", "post"),
        ("/v1/documents/upload-url", "post"),
        ("/v1/documents/{document_id}", "get"),
        ("/v1/api-keys", "post"),
        ("/v1/api-keys", "get"),
        ("/v1/api-keys/{key_id}", "delete"),
        ("/v1/usage", "get"),
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
