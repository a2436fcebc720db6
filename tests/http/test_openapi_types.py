"""The OpenAPI document for typed clients: sizes of numbers, codes of errors, enumerations, and examples."""

from collections.abc import Iterator
from typing import Any

from adapters.http.errors import STATUS
from adapters.http.wire.envelope import ErrorCode
from tests.acceptance.operations import resolved
from tests.http.conftest import Api
from tests.http.test_openapi import operations

OF_THE_SERVER = {"method_not_allowed", "uri_too_long", "header_too_large", "internal_error", "unavailable"}
"""The codes of errors of the router, of the server, and of failures. No domain error has these codes."""

SMALL = {"page", "per_page", "retry_after", "Retry-After"}
"""The numbers that have 32 bits. All others are sizes in bytes, counts and times."""


def parts(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of the document, with the name of the member or header that it belongs to."""
    if isinstance(node, list):
        for part in node:
            yield from parts(part, name)
    elif isinstance(node, dict):
        yield node.get("name", name) if "in" in node else name, node
        own = node["name"] if "in" in node else name
        for key, part in node.items():
            if key not in ("example", "examples"):
                yield from parts(part, own if key in ("schema", "anyOf", "items") else key)


async def test_every_number_has_the_size_of_its_largest_value(document: Any) -> None:
    found = [(name, part) for name, part in parts(document) if part.get("type") == "integer"]
    assert {"page", "size_bytes", "quota_bytes", "total", "X-RateLimit-Reset"} <= {name for name, _ in found}
    for name, part in found:
        assert part["format"] == ("int32" if name in SMALL else "int64"), name
        assert 0 <= part["minimum"] <= part["maximum"], name
        assert part["maximum"] < (2**31 if name in SMALL else 2**63), name


async def test_the_code_of_an_error_is_an_enumeration_of_all_codes(document: Any) -> None:
    assert document["components"]["schemas"]["Error"]["properties"]["code"] == {
        "$ref": "#/components/schemas/ErrorCode"
    }
    listed = set(document["components"]["schemas"]["ErrorCode"]["enum"])
    assert listed == {refusal.code for refusal in STATUS} | OF_THE_SERVER == {code.value for code in ErrorCode}


def examples_of(schema: dict[str, Any]) -> list[Any]:
    """Return the examples of a schema that may be a choice of several."""
    return [example for each in (schema, *schema.get("anyOf", ())) for example in each.get("examples", ())]


async def test_no_example_of_a_body_is_refused(api: Api, document: Any) -> None:
    """Neither a whole example, nor one with the example of any member in it."""
    recorded = await api.recorded()
    await api.http.patch(f"/v1/documents/{recorded['id']}", json={"folder": "/clients/acme"})
    with_a_body = [(where, operation) for where, operation in operations(document) if "requestBody" in operation]
    for where, operation in with_a_body:
        method, path = where.split()
        media = operation["requestBody"]["content"]["application/json"]
        example, members = media["example"], resolved(document, media["schema"])["properties"]
        variants = [{name: value} for name in members for value in examples_of(members[name])]
        for variant in ({}, *variants):
            body = example | variant
            # The path of an upload, and the name of an API key, differ in every request.
            if "storage_path" in body:
                body["storage_path"] = (await api.uploaded())["storage_path"]
                body.pop("size_bytes", None)
            if path == "/v1/api-keys":
                body["name"] = f"{body['name']} {variant}"
            address = path.replace("{document_id}", recorded["id"])
            answer = await api.http.request(method, address, json=body)
            if path == "/v1/folders":
                await api.http.patch("/v1/folders", json={"from": body["to"], "to": body["from"]})
            assert answer.status_code < 300, (method, path, body, answer.text)


async def test_no_example_of_a_query_parameter_is_refused(api: Api, document: Any) -> None:
    for where, operation in operations(document):
        method, path = where.split()
        for parameter in operation["parameters"]:
            parameter = resolved(document, parameter)
            if method == "GET" and parameter["in"] == "query":
                for example in examples_of(parameter["schema"]):
                    address = path.replace("{entity_id}", "M-1")
                    answer = await api.http.get(address, params={parameter["name"]: example})
                    assert answer.status_code == 200, (path, parameter["name"], answer.text)
