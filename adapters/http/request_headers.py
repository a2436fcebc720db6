"""Reads the request headers that operations use: Idempotency-Key and If-Match."""

import re

from adapters.http.answer import header_values
from adapters.http.request import AnyRequest
from domain.errors import Invalid
from domain.idempotency import idempotency_key
from domain.members import RuleViolation

_ENTITY_TAG = rb'(?:W/)?+"[\x21\x23-\x7e\x80-\xff]*+"[ \t]*+'
# RFC 9110 5.6.1: a list may have empty elements. All quantifiers are possessive, so matching takes linear time.
_ENTITY_TAGS = re.compile(rb"[ \t]*+(?:%b)?+(?:,[ \t]*+(?:%b)?+)*+" % (_ENTITY_TAG, _ENTITY_TAG))
_OPAQUE = re.compile(rb'(W/)?"([^"]*)"')
# No record reaches a billion revisions.
_REVISION = re.compile(rb"[1-9][0-9]{0,8}")


def read_idempotency_key(request: AnyRequest) -> str | None:
    """Return the Idempotency-Key of a request, `None` if it has none.

    Raises:
        Invalid: it is not a UUID, or there are two.
    """
    sent = header_values(request.scope, b"idempotency-key")
    if not sent:
        return None
    try:
        return idempotency_key(b",".join(sent).decode("latin-1"))
    except RuleViolation as violation:
        raise Invalid({"Idempotency-Key": str(violation)}) from None


def read_if_match(request: AnyRequest) -> frozenset[int] | None:
    """Return the revisions that If-Match (RFC 9110 13.1.1) allows, `None` if it allows any.

    The set is empty if none of the entity tags can be that of a revision.

    Raises:
        Invalid: it is not a list of entity tags.
    """
    lines = header_values(request.scope, b"if-match")
    sent = b",".join(lines)
    if not lines or sent.strip(b" \t") == b"*":
        return None
    tags = _OPAQUE.findall(sent) if _ENTITY_TAGS.fullmatch(sent) else []
    if not tags:
        raise Invalid({"If-Match": "must be '*' or a list of entity-tags such as \"1\", each in double quotes"})
    # A weak entity tag never matches (RFC 9110 8.8.3.2), nor does one that Dossier did not issue.
    return frozenset(int(opaque) for weak, opaque in tags if not weak and _REVISION.fullmatch(opaque))
