"""The schemas of all bodies, as components of the OpenAPI document."""

from collections.abc import Iterable
from typing import Any

import msgspec

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"


def reference(type_: Any) -> Json:
    """Return the reference to the schema of a body."""
    return msgspec.json.schema_components([type_], ref_template=_REFERENCE)[0][0]


def schema_components(types: Iterable[Any]) -> Json:
    """Return the schemas of these bodies, and of every type in them, by name."""
    _, schemas = msgspec.json.schema_components(sorted(types, key=str), ref_template=_REFERENCE)
    for schema in schemas.values():
        name_types(schema)
        for member in schema.get("properties", {}).values():
            # `null` means the same as an absent member. If a default were `null`, client generators would always send
            # it.
            if member.get("default", ...) is None:
                del member["default"]
    return schemas


def name_types(schema: Any) -> None:
    """Add the type of every enumeration in a schema, because msgspec omits it.

    Without the type, client generators make a value of any type instead of an enumeration.
    """
    if isinstance(schema, list):
        for part in schema:
            name_types(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            schema.setdefault("type", "string")
        for part in schema.values():
            name_types(part)
