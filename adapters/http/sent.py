"""Reads the headers, the query and the body of a request.

This module collects the mistakes in them and passes them to the use case among the members (`domain/members.py`). The
form that checks the members adds its own. So one error names every wrong member, parameter and header.
"""

from dataclasses import dataclass
from typing import cast

from adapters.http.answer import header_values
from adapters.http.body import check_media_type, parse_members, whole_body
from adapters.http.body_headers import check_digests, read_body_headers
from adapters.http.conditional import UNCONDITIONAL, Conditions, read_conditions
from adapters.http.mistakes import Mistakes
from adapters.http.operation import Operation
from adapters.http.query import check_no_parameters, read_parameters
from adapters.http.request import AnyRequest
from domain.idempotency import parse_idempotency_key
from domain.members import Form, Members, RuleViolation


# Not frozen, because each create makes one: a frozen dataclass takes three times as long to make.
@dataclass(slots=True)
class Sent:
    """The contents of a request.

    - `members` are the members of the body, or, without a body, the parameters of the query. They include the mistakes
      in headers and in the query, so they must be read with a form. They are empty if the operation has neither body
      nor parameters.
    - `idempotency_key` is a UUID in lower case, `None` without one.
    - `conditions` are the preconditions, if the operation supports them.
    """

    members: Members
    idempotency_key: str | None
    conditions: Conditions

    def parameters(self) -> Form:
        """Return a form of the parameters, for a handler that reads them itself."""
        return Form(self.members, "parameter")


async def read_sent(request: AnyRequest) -> Sent:
    """Return the contents of a request.

    Raises:
        Invalid: the body is not one JSON object, or the operation has no form that would report a mistake.
        UnsupportedMediaType, UnsupportedContentCoding: the operation does not accept this form of body.
        PayloadTooLarge: the body has more than 64 KiB. RequestTimeout: the client disconnected.
    """
    operation = cast("Operation", request.route_handler)
    mistakes = Mistakes()
    key = mistakes.reading(lambda: parse_idempotency_key(_idempotency_key(request)), None)
    conditions = UNCONDITIONAL
    if operation.is_conditional:
        conditions = mistakes.reading(lambda: read_conditions(request), UNCONDITIONAL)
    members: Members = {}
    if operation.query_parameters:
        members = read_parameters(request, operation.query_parameters)
    elif request.scope["query_string"]:
        mistakes.reading(lambda: check_no_parameters(request), None)
    if operation.media_types:
        members = await _read_body(request, operation, mistakes)
    elif not operation.query_parameters:
        mistakes.refuse()
    if mistakes.fields:
        members = {**members, **{name: RuleViolation(reason) for name, reason in mistakes.fields.items()}}
    return Sent(members, key, conditions)


async def _read_body(request: AnyRequest, operation: Operation, mistakes: Mistakes) -> Members:
    check_media_type(request, operation.media_types, operation.accept_patch)
    announced = mistakes.reading(lambda: read_body_headers(request, operation.accept_patch), None)
    raw = await whole_body(request)
    if announced:
        mistakes.reading(lambda: check_digests(announced, raw), None)
    members = mistakes.reading(lambda: parse_members(raw), None)
    if members is None:
        mistakes.refuse()
    return members or {}


def _idempotency_key(request: AnyRequest) -> str | None:
    sent = header_values(request.scope, b"idempotency-key")
    return b",".join(sent).decode("latin-1") if sent else None
