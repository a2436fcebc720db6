"""Signed URLs with one character changed."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

FORGED = {400, 401, 403, 404}
"""The statuses of a URL whose path was changed: it is no signed URL any more, or no route."""


def _changed(text: str) -> str:
    """Return `text` with one letter or digit near its middle replaced by another."""
    middle = len(text) // 2
    at = next((at for at in [*range(middle, len(text)), *range(middle)] if text[at].isalnum()), middle)
    sign = text[at]
    new = {"9": "8", "f": "e", "z": "y", "F": "E", "Z": "Y"}.get(sign) or chr(ord(sign) + 1)
    return text[:at] + new + text[at + 1 :]


def tampered(url: str) -> list[str]:
    """Return the URL with each of its query values changed in one character."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return [
        urlunsplit(parts._replace(query=urlencode([*query[:at], (name, _changed(value)), *query[at + 1 :]])))
        for at, (name, value) in enumerate(query)
        if value
    ]


def moved(url: str) -> list[str]:
    """Return the URL with each segment of its path changed in one character, and without its query."""
    parts = urlsplit(url)
    segments = parts.path.split("/")
    elsewhere = [
        urlunsplit(parts._replace(path="/".join([*segments[:at], _changed(segment), *segments[at + 1 :]])))
        for at, segment in enumerate(segments)
        if segment
    ]
    return [*elsewhere, urlunsplit(parts._replace(query=""))] if parts.query else elsewhere
