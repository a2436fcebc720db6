"""The path and query parameters of an operation."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from adapters.http.description.schemas import Json, name_types
from adapters.http.wire.entity_links import EntityId
from adapters.http.wire.members import ApiKeyId, DocumentId, EntityLinkId

_PATH: Mapping[str, tuple[Any, str]] = {
    "document_id": (DocumentId, "The `id` of the document."),
    "link_id": (EntityLinkId, "The `link_id` of the entity link."),
    "key_id": (ApiKeyId, "The `id` of the API key."),
    "entity_id": (EntityId, "Your id of the entity, percent-encoded."),
}


def path_parameters(path: str) -> Iterator[Json]:
    """Yield the parameters that a path names in braces."""
    for part in path.split("/"):
        if part.startswith("{"):
            type_, text = _PATH[part[1:-1]]
            yield {
                "name": part[1:-1],
                "in": "path",
                "required": True,
                "description": text,
                "schema": msgspec.json.schema(type_),
            }


def query_parameters(declared: Mapping[str, Json]) -> Iterator[Json]:
    """Yield the query parameters that an operation declares, by their JSON schemas.

    Examples are in the schema. If they were an `example` of the parameter, pages such as Swagger UI would send them by
    default.
    """
    for name, schema in declared.items():
        schema = dict(schema)
        name_types(schema)
        required = {"required": True} if schema.pop("required", False) else {}
        parameter: Json = {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        # For an array, this style means that the parameter is repeated (OpenAPI 3.1, 4.8.12).
        style = {"style": "form", "explode": True} if schema.get("type") == "array" else {}
        yield {**parameter, **required, **style}
