"""Identifiers: a prefix that names the kind, then a ULID (26 characters of Crockford base32, upper case).

A ULID has 128 bits: 48 bits of Unix milliseconds and 80 random bits, so ids sort by their time of creation. Ids are
opaque to clients. https://github.com/ulid/spec
"""

import re
from datetime import datetime
from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
UserId = NewType("UserId", str)
ApiKeyId = NewType("ApiKeyId", str)
DocumentId = NewType("DocumentId", str)
EntityLinkId = NewType("EntityLinkId", str)

API_KEY_PREFIX = "wbk_"
"""The beginning of every API key. An API key is not an id: it is a secret."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The first character has only three bits: 26 characters of 5 bits hold 130 bits.
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)
_TO_PYTHON_BASE32 = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def encode_ulid(number: int) -> str:
    """Return the 26 characters of a 128-bit number."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def decode_ulid(text: str) -> int:
    """Return the 128-bit number of 26 well-formed characters."""
    return int(text.translate(_TO_PYTHON_BASE32), 32)


def least_ulid(at: datetime) -> str:
    """Return the smallest ULID of a time. Every ULID that was made before is smaller."""
    return encode_ulid(int(at.timestamp() * 1000) << 80)


def is_ulid(text: str) -> bool:
    """Return whether `text` is a well-formed ULID."""
    return _ULID.fullmatch(text) is not None


def is_id(prefix: str, text: str) -> bool:
    """Return whether `text` is `prefix` followed by a well-formed ULID."""
    return text.startswith(prefix) and _ULID.fullmatch(text, len(prefix)) is not None


def parse_document_id(text: str) -> DocumentId | None:
    """Return `text` as a document id; `None` if it is not well-formed."""
    return DocumentId(text) if is_id("doc_", text) else None


def parse_workspace_id(text: str) -> WorkspaceId | None:
    """Return `text` as a workspace id; `None` if it is not well-formed."""
    return WorkspaceId(text) if is_id("ws_", text) else None


def parse_user_id(text: str) -> UserId | None:
    """Return `text` as a user id; `None` if it is not well-formed."""
    return UserId(text) if is_id("usr_", text) else None


def parse_api_key_id(text: str) -> ApiKeyId | None:
    """Return `text` as an API key id; `None` if it is not well-formed."""
    return ApiKeyId(text) if is_id("key_", text) else None


def parse_entity_link_id(text: str) -> EntityLinkId | None:
    """Return `text` as an entity link id; `None` if it is not well-formed."""
    return EntityLinkId(text) if is_id("dlnk_", text) else None
