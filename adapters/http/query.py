"""Reads the query parameters of a request."""

from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl

from adapters.http.operation import Json
from adapters.http.request import AnyRequest
from adapters.http.strict_json import check_text
from domain.members import Form, Members, RuleViolation


def read_parameters(request: AnyRequest, declared: Mapping[str, Json]) -> Members:
    """Return the query parameters of a request. The form that reads them refuses unknown parameters.

    The values of a parameter that is declared as a list are one list. A parameter that is repeated but is not a list,
    or whose text cannot be stored in a database, is a `RuleViolation`.
    """
    query: dict[str, object] = {}
    wrong: dict[str, object] = {}
    for name, value in _decoded_pairs(request):
        if declared.get(name, {}).get("type") == "array":
            cast("list[object]", query.setdefault(name, [])).append(value)
        elif name in query and name in declared:
            wrong[name] = RuleViolation("must be given once")
        else:
            query[name] = value
        try:
            _check_utf8(value)
            check_text(value)
        except RuleViolation as violation:
            wrong[name] = violation
    return query | wrong


def check_no_parameters(request: AnyRequest) -> None:
    """Return if the query has no parameters.

    Raises:
        Invalid: naming each.
    """
    Form(dict(query_pairs(request)), "parameter").finish()


def _decoded_pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """Return the pairs of the query. A byte that is not UTF-8 becomes a lone surrogate in a value, and U+FFFD in a
    name."""
    query = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return [(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), value) for name, value in pairs]


def _check_utf8(value: str) -> None:
    if any("\udc80" <= char <= "\udcff" for char in value):
        raise RuleViolation("must be UTF-8, percent-encoded")


def query_pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """Return the names and values of the query in their order, with repeated names and empty values."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
