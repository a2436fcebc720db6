"""The description of the API."""

import json
import re
from typing import Any

from domain.pages import PAGE_MAX
from tests.http.conftest import Api

OPERATIONS = {
    ("/v1/documents", "post"),
    ("/v1/documents", "get"),
    ("/v1/documents/upload-url", "post"),
    ("/v1/documents/{document_id}", "get"),
    ("/v1/documents/{document_id}", "patch"),
    ("/v1/documents/{document_id}", "delete"),
    ("/v1/documents/{document_id}/link", "post"),
    ("/v1/documents/{document_id}/link/{link_id}", "delete"),
    ("/v1/contacts/{entity_id}/documents", "get"),
    ("/v1/companies/{entity_id}/documents", "get"),
    ("/v1/deals/{entity_id}/documents", "get"),
    ("/v1/events/{entity_id}/documents", "get"),
    ("/v1/matters/{entity_id}/documents", "get"),
    ("/v1/tasks/{entity_id}/documents", "get"),
    ("/v1/folders", "get"),
    ("/v1/folders", "patch"),
    ("/v1/tags", "get"),
    ("/v1/api-keys", "post"),
    ("/v1/api-keys", "get"),
    ("/v1/api-keys/{key_id}", "delete"),
    ("/v1/usage", "get"),
    ("/health/live", "get"),
    ("/health/ready", "get"),
}


async def described(api: Api) -> Any:
    return (await api.http.get("/openapi.json")).json()


def parameter(operation: Any, name: str) -> Any:
    """The parameter of that name that is no header."""
    return next(parameter for parameter in operation["parameters"] if parameter.get("name") == name)


async def test_the_description_names_every_route_and_no_schema_is_missing(api: Api) -> None:
    document = await described(api)
    assert document["openapi"].startswith("3.1")
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == OPERATIONS
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()


async def test_every_operation_has_a_name_of_its_own_and_a_group_that_is_described(api: Api) -> None:
    document = await described(api)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    groups = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in operations for tag in operation["tags"]} == groups


async def test_a_tag_may_be_repeated_and_what_has_no_default_names_none(api: Api) -> None:
    listing = (await described(api))["paths"]["/v1/documents"]["get"]
    tag = parameter(listing, "tag")
    assert (tag["schema"]["type"], tag["schema"]["items"]["type"]) == ("array", "string")
    assert (tag["style"], tag["explode"]) == ("form", True)
    assert "default" not in parameter(listing, "folder")["schema"]
    page = parameter(listing, "page")["schema"]
    assert (page["type"], page["default"], page["minimum"], page["maximum"]) == ("integer", 1, 1, PAGE_MAX)


async def test_changes_take_if_match_and_may_fail_for_it(api: Api) -> None:
    document = (await described(api))["paths"]["/v1/documents/{document_id}"]
    for method in ("patch", "delete"):
        assert {"$ref": "#/components/parameters/If-Match"} in document[method]["parameters"]
        assert document[method]["responses"]["412"] == {"$ref": "#/components/responses/PreconditionFailed"}
    assert "412" not in document["get"]["responses"]


async def test_a_link_is_new_or_was_there(api: Api) -> None:
    responses = (await described(api))["paths"]["/v1/documents/{document_id}/link"]["post"]["responses"]
    assert responses["200"]["content"] == responses["201"]["content"]
    assert responses["200"]["description"] != responses["201"]["description"]


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
