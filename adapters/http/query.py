"""Reads the query of a request: the parameters that its operation declares."""

from typing import cast
from urllib.parse import parse_qsl

from adapters.http.operation import Operation
from adapters.http.request import AnyRequest
from adapters.http.strict_json import check_text
from domain.errors import Invalid
from domain.members import Form, Members, RuleViolation
from domain.pages import boolean


def read_query(request: AnyRequest) -> Members:
    """Return the query parameters that the operation declares. Other parameters are ignored.

    The values of a parameter that is declared as a list are one list.

    Raises:
        Invalid: a parameter is repeated but is no list, or its text cannot be stored in a database.
    """
    declared = cast("Operation", request.route_handler).query_parameters
    query: dict[str, object] = {}
    invalid: dict[str, str] = {}
    for name, value in query_pairs(request):
        if name not in declared:
            continue
        if declared[name].get("type") == "array":
            cast("list[object]", query.setdefault(name, [])).append(value)
        elif name in query:
            invalid[name] = "must be given once"
        else:
            query[name] = value
        try:
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
    form = Form(read_query(request))
    flag = form.optional(name, boolean)
    form.finish()
    declared = cast("Operation", request.route_handler).query_parameters
    return bool(declared[name]["default"]) if flag is None else flag


def query_pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """Return the names and values of the query in their order, with repeated names and empty values."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
