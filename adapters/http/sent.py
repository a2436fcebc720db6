"""Reads the headers, the query and the body of a request.

This module collects the mistakes in them and passes them to the use case among the members (`domain/members.py`). The
form that checks the members adds its own. So one error names every wrong member, parameter and header.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from adapters.http.answer import headers_named
from adapters.http.body import announces_body, check_media_type, parse_members, whole_body
from adapters.http.body_headers import BODY_HEADERS, check_digests, read_body_headers
from adapters.http.conditional import UNCONDITIONAL, Conditions, read_conditions
from adapters.http.mistakes import Mistakes
from adapters.http.operation import Operation
from adapters.http.query import check_no_parameters, read_parameters
from adapters.http.request import AnyRequest
from adapters.http.unsupported_headers import UNSUPPORTED, check_supported
from domain.idempotency import parse_idempotency_key
from domain.members import Form, Members, RuleViolation

_KEY, _IF_MATCH = b"idempotency-key", b"if-match"
_READ = BODY_HEADERS | UNSUPPORTED | {_KEY, _IF_MATCH}
# An empty array of PHP is `[]` in JSON.
_NOTHING = (b"", b"{}", b"[]", b"null")
_NO_ETAG = "is not supported by this request, whose target has no ETag; leave it out"
_UNREAD = "is not read by a GET; send query parameters, or leave the body out"


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
    stated = headers_named(request.scope, _READ)
    key = None
    if stated:
        key = mistakes.reading(lambda: parse_idempotency_key(_idempotency_key(stated.pop(_KEY, None))), None)
        mistakes.reading(lambda: check_supported(stated, request.method), None)
    conditions = UNCONDITIONAL
    if operation.is_conditional:
        conditions = mistakes.reading(lambda: read_conditions(request), UNCONDITIONAL)
    elif _IF_MATCH in stated:
        # RFC 9110 13.1.1: the method must not be performed if the condition is false, as it is without an ETag. A 412
        # would say that something has changed.
        mistakes.fields["If-Match"] = _NO_ETAG
    members: Members = {}
    if operation.query_parameters:
        members = read_parameters(request, operation.query_parameters)
    elif request.scope["query_string"]:
        mistakes.reading(lambda: check_no_parameters(request), None)
    if operation.media_types:
        members = await _read_body(request, operation, stated, mistakes)
    else:
        # RFC 9110 9.3.5 gives the body of a DELETE no meaning, and some HTTP libraries send one with every request. A
        # client that sends the filter of a list as a body would get all documents.
        if (
            request.method != "DELETE"
            and announces_body(request)
            and (await whole_body(request)).strip() not in _NOTHING
        ):
            mistakes.fields["body"] = _UNREAD
        if not operation.query_parameters:
            mistakes.refuse()
    if mistakes.fields:
        members = {**members, **{name: RuleViolation(reason) for name, reason in mistakes.fields.items()}}
    return Sent(members, key, conditions)


async def _read_body(
    request: AnyRequest, operation: Operation, stated: Mapping[bytes, Sequence[bytes]], mistakes: Mistakes
) -> Members:
    check_media_type(request, operation.media_types, operation.accept_patch)
    announced = mistakes.reading(lambda: read_body_headers(stated, operation.accept_patch), None)
    raw = await whole_body(request)
    if announced:
        mistakes.reading(lambda: check_digests(announced, raw), None)
    members = mistakes.reading(lambda: parse_members(raw), None)
    if members is None:
        mistakes.refuse()
    return members or {}


def _idempotency_key(sent: Sequence[bytes] | None) -> str | None:
    return b",".join(sent).decode("latin-1") if sent else None
