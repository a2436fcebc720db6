"""Reads the query parameters of a request."""

from typing import Any, cast
from urllib.parse import parse_qsl

from litestar.connection import ASGIConnection

from adapters.http.operation import Operation
from adapters.http.request import AnyRequest
from adapters.http.strict_json import check_text
from domain.errors import Invalid
from domain.members import Form, Members, RuleViolation
from domain.pages import boolean


def read_query(request: AnyRequest) -> Members:
    """Return the query parameters of a request. The use case refuses unknown parameters.

    The values of a parameter that is declared as a list are one list.

    Raises:
        Invalid: a parameter is repeated but is not a list, or its text cannot be stored in a database.
    """
    declared = cast("Operation", request.route_handler).query_parameters
    query: dict[str, object] = {}
    invalid: dict[str, str] = {}
    for name, value in _decoded_pairs(request):
        if declared.get(name, {}).get("type") == "array":
            cast("list[object]", query.setdefault(name, [])).append(value)
        elif name in query and name in declared:
            invalid[name] = "must be given once"
        else:
            query[name] = value
        try:
            _check_utf8(value)
            check_text(value)
        except RuleViolation as violation:
            invalid[name] = str(violation)
    if invalid:
        raise Invalid(invalid)
    return query


def read_flag(request: AnyRequest, name: str) -> bool:
    """Return the only query parameter of an operation, a boolean, or its declared default.

    Raises:
        Invalid: it is neither true, false, 1 nor 0.
    """
    form = Form(read_query(request), "parameter")
    flag = form.optional(name, boolean)
    form.finish()
    declared = cast("Operation", request.route_handler).query_parameters
    return bool(declared[name]["default"]) if flag is None else flag


def _decoded_pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """Return the pairs of the query. A byte that is not UTF-8 becomes a lone surrogate in a value, and U+FFFD in a
    name."""
    query = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return [(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), value) for name, value in pairs]


def _check_utf8(value: str) -> None:
    if any("\udc80" <= char <= "\udcff" for char in value):
        raise RuleViolation("must be UTF-8, percent-encoded")


def refuse_query(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuse every query parameter of a request to an operation that has none.

    Raises:
        Invalid: naming each.
    """
    Form(dict(query_pairs(connection)), "parameter").finish()


def query_pairs(request: ASGIConnection[Any, Any, Any, Any]) -> list[tuple[str, str]]:
    """Return the names and values of the query in their order, with repeated names and empty values."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
