"""Conditional requests (RFC 9110 13): If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and If-Range.

A precondition is evaluated last, because a request that would be refused without it must get the same error with it
(RFC 9110 13.2.1). Two deviations from the RFC help clients behind proxies that compress. A weak entity tag matches as a
strong one does, because nginx makes entity tags weak when it compresses. The suffix of a content coding is ignored,
because other proxies append one (Apache httpd, Caddy, Jetty).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from adapters.http.answer import header_values
from adapters.http.mistakes import Mistakes
from adapters.http.request import AnyRequest
from domain.errors import Invalid, PreconditionFailed
from domain.preconditions import Precondition

_ENTITY_TAG = rb'(?:W/)?+"[\x21\x23-\x7e\x80-\xff]*+"[ \t]*+'
# RFC 9110 5.6.1: a list may have empty elements. All quantifiers are possessive, so matching takes linear time.
_ENTITY_TAGS = re.compile(rb"[ \t]*+(?:%b)?+(?:,[ \t]*+(?:%b)?+)*+" % (_ENTITY_TAG, _ENTITY_TAG))
_OPAQUE = re.compile(rb'"([^"]*?)(?:--?(?:gzip|br|zstd|deflate))?"')
# RFC 9110 5.6.7 defines a preferred form of dates, and two obsolete forms that a recipient must accept.
_DATE = re.compile(
    rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    rb"|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT"
    rb"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
)


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The value of If-Match or If-None-Match: opaque tags without quotes, or `None` for `*`, which is every tag."""

    tags: frozenset[str] | None

    def match(self, tag: str) -> bool:
        return self.tags is None or tag in self.tags


@dataclass(frozen=True, slots=True)
class Conditions:
    """The preconditions that a request states; `None` is one that it does not state."""

    if_match: EntityTags | None = None
    if_none_match: EntityTags | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None

    def of_a_change(self) -> Precondition:
        """Return the precondition of a change that If-Match and If-None-Match state."""
        allowed = None if self.if_match is None else self.if_match.tags
        if self.if_none_match is None:
            return Precondition(allowed)
        if self.if_none_match.tags is None:
            # `If-None-Match: *` requires that there is no document (RFC 9110 13.1.2), so no state of one is allowed.
            return Precondition(frozenset())
        return Precondition(allowed, self.if_none_match.tags)

    def is_not_modified(self, tag: str, modified_at: datetime | None = None) -> bool:
        """Return whether the response to a GET or HEAD is 304. The order is that of RFC 9110 13.2.2.

        `modified_at` is the time at which the file was last modified; `None` for documents, which have no such time.

        Raises:
            PreconditionFailed: If-Match or If-Unmodified-Since does not hold.
        """
        if self.if_match is not None:
            if not self.if_match.match(tag):
                raise PreconditionFailed(
                    "If-Match lacks the ETag of this document or file; leave that header out to read it as it is now."
                )
        elif modified_at and self.if_unmodified_since and modified_at > self.if_unmodified_since:
            raise PreconditionFailed(
                "The file was stored after the time in If-Unmodified-Since; leave that header out to read the file."
            )
        if self.if_none_match is not None:
            return self.if_none_match.match(tag)
        return bool(modified_at and self.if_modified_since and modified_at <= self.if_modified_since)


UNCONDITIONAL = Conditions()

_PRECONDITIONS = frozenset((b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"))


def entity_tag(tag: str) -> Mapping[str, str]:
    """Return the header with the entity tag of a response."""
    return {"ETag": f'"{tag}"'}


def read_conditions(request: AnyRequest) -> Conditions:
    """Return the preconditions of a request.

    Raises:
        Invalid: If-Match or If-None-Match is not a list of entity tags.
    """
    # Nearly every request has no precondition. One pass over the headers must find that out.
    if not any(name in _PRECONDITIONS for name, _ in request.scope["headers"]):
        return UNCONDITIONAL
    mistakes = Mistakes()
    conditions = Conditions(
        mistakes.reading(lambda: _read_tags(request, "If-Match"), None),
        mistakes.reading(lambda: _read_tags(request, "If-None-Match"), None),
        _read_date(request, b"if-modified-since"),
        _read_date(request, b"if-unmodified-since"),
    )
    mistakes.refuse()
    return conditions


def range_applies(request: AnyRequest, tag: str, modified_at: datetime) -> bool:
    """Return whether If-Range permits a response with a part of the file (RFC 9110 13.1.5). It must have exactly this
    tag or date."""
    sent = header_values(request.scope, b"if-range")
    if not sent:
        return True
    return sent == [f'"{tag}"'.encode()] or _read_date(request, b"if-range") == modified_at


def http_date(at: datetime) -> str:
    """Return a time as an HTTP date (RFC 9110 5.6.7)."""
    return format_datetime(at, usegmt=True)


def _read_tags(request: AnyRequest, name: str) -> EntityTags | None:
    lines = header_values(request.scope, name.lower().encode())
    if not lines:
        return None
    sent = b",".join(lines)
    if sent.strip(b" \t") == b"*":
        return EntityTags(None)
    tags = _OPAQUE.findall(sent) if _ENTITY_TAGS.fullmatch(sent) else []
    if not tags:
        raise Invalid({name: "must be '*' or a list of entity-tags such as \"1\", each in double quotes"})
    return EntityTags(frozenset(tag.decode("latin-1") for tag in tags))


def _read_date(request: AnyRequest, name: bytes) -> datetime | None:
    """Return the date in a header; `None` without the header. An invalid date is ignored, as RFC 9110 13.1.3
    requires."""
    sent = header_values(request.scope, name)
    if len(sent) != 1 or not _DATE.fullmatch(sent[0]):
        return None
    try:
        return parsedate_to_datetime(sent[0].decode()).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
