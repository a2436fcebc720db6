"""The OpenAPI document: valid, complete, with valid examples, and changed only on purpose."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapters.http.errors import STATUS
from tests.acceptance.operations import resolved
from tests.http.conftest import Api, client_of
from tests.memory import memory_ports

SNAPSHOT = Path(__file__).with_name("openapi.json")
METHODS = ("get", "post", "patch", "delete")


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield each operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def responses(document: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield the responses of an operation with their status."""
    for status, response in operation["responses"].items():
        yield status, resolved(document, response)


def bodies(document: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield the bodies of an operation: of its request and of its responses."""
    if "requestBody" in operation:
        yield "request", operation["requestBody"]["content"]["application/json"]
    for status, response in responses(document, operation):
        if "content" in response:
            yield status, response["content"]["application/json"]


def examples(document: Any, media: Any) -> list[Any]:
    named = media.get("examples", {"example": {"value": media.get("example")}})
    return [resolved(document, each)["value"] for each in named.values()]


def errors_of(schema: Any, value: Any) -> list[str]:
    return [error.message for error in OAS31Validator(schema).iter_errors(value)]


async def test_the_document_equals_its_snapshot(document: Any) -> None:
    """After an intended change, `make generated` writes the snapshot; review its diff."""
    assert as_text(document) == SNAPSHOT.read_text(), test_the_document_equals_its_snapshot.__doc__


async def test_the_document_conforms_to_openapi_3_1(document: Any) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_every_operation_is_described(document: Any) -> None:
    for where, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), where
        assert 5 < len(operation["summary"]) < 60, where
        assert not operation["summary"].endswith("."), where
        assert len(operation["description"]) > 40, where
        assert len(operation["tags"]) == 1, where
        assert operation["security"] == ([] if "/health/" in where else [{"apiKey": []}]), where


async def test_every_parameter_and_every_header_is_described_and_no_example_is_sent_by_default(document: Any) -> None:
    """A page that can try a call fills in the `example` of a parameter, but not the examples of its schema."""
    for where, operation in operations(document):
        parameters = [resolved(document, parameter) for parameter in operation["parameters"]]
        for each in parameters:
            assert each["description"], (where, each["name"])
            assert each["schema"], (where, each["name"])
            assert "example" not in each, (where, each["name"])
            assert each["in"] != "header" or each["schema"]["examples"], (where, each["name"])
            for example in each["schema"].get("examples", ()):
                assert errors_of(each["schema"], example) == [], (where, each["name"])
        for status, response in responses(document, operation):
            assert response["description"], (where, status)
            for name, header in response["headers"].items():
                assert resolved(document, header)["description"], (where, status, name)
                assert resolved(document, header)["schema"], (where, status, name)
            assert {"X-Request-ID", "Access-Control-Allow-Origin"} <= response["headers"].keys(), (where, status)


async def test_every_body_is_described_and_has_valid_examples(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        is_envelope = re.match(r"Envelope|Paged", name) is not None
        assert is_envelope or schema.get("type") != "object" or schema.get("description"), name
        for member, type_ in schema.get("properties", {}).items():
            assert type_.keys() & {"type", "anyOf", "$ref", "enum", "allOf"}, (name, member)
    for where, operation in operations(document):
        for what, media in bodies(document, operation):
            schema = {**media["schema"], "components": document["components"]}
            assert examples(document, media), (where, what)
            for example in examples(document, media):
                assert errors_of(schema, example) == [], (where, what)


async def test_every_error_of_an_operation_is_described_with_its_code(document: Any) -> None:
    known = {(status, refusal.code) for refusal, status in STATUS.items()} | {
        (405, "method_not_allowed"),
        (500, "internal_error"),
        (503, "unavailable"),
    }
    for where, operation in operations(document):
        reported = {int(status) for status in operation["responses"]}
        keyless = "/health/" in where
        assert reported >= {500, 503} | ({405} if keyless else {400, 401, 403, 429}), where
        assert not ({"requestBody"} & operation.keys()) or reported >= {408, 413, 415}, where
        for status, response in responses(document, operation):
            if int(status) >= 400:
                for example in examples(document, response["content"]["application/json"]):
                    assert (int(status), example["error"]["code"]) in known, (where, status)
                    assert example["error"]["code"] in response["description"], (where, status)


async def test_only_members_that_may_be_null_are_nullable(api: Api, document: Any) -> None:
    recorded = {"data": await api.recorded()}
    schema = {"$ref": "#/components/schemas/Envelope_DocumentRecord_", "components": document["components"]}
    assert errors_of(schema, recorded) == []
    nullable = {name for name, value in recorded["data"].items() if value is None}
    assert nullable == {"description", "folder"}
    for member in recorded["data"]:
        cleared = {"data": recorded["data"] | {member: None}}
        assert (errors_of(schema, cleared) == []) == (member in nullable), member


def as_text(document: Any) -> str:
    # The version is left out, because every release changes it.
    return json.dumps(document | {"info": document["info"] | {"version": "…"}}, indent=1, ensure_ascii=False) + "\n"


async def write() -> None:
    """Write the snapshot of the current document."""
    async with client_of(memory_ports()) as http:
        SNAPSHOT.write_text(as_text((await http.get("/openapi.json")).json()))


if __name__ == "__main__":
    asyncio.run(write())
