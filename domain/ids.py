"""Identifiers: a prefix that names the kind, then a ULID (26 characters of Crockford base32, upper case).

A ULID is 128 bits: 48 of Unix milliseconds, 80 of chance, so that ids sort by the time they were made.
Clients treat the whole as opaque. https://github.com/ulid/spec
"""

import re
from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
UserId = NewType("UserId", str)
ApiKeyId = NewType("ApiKeyId", str)
DocumentId = NewType("DocumentId", str)
EntityLinkId = NewType("EntityLinkId", str)

API_KEY_PREFIX = "wbk_"
"""What every API key begins with. It is no id: whoever has the whole of it is let in."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The first character carries only three bits: 26 x 5 = 130.
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)
_TO_PYTHON_BASE32 = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def encode_ulid(number: int) -> str:
    """The 26 characters of a 128-bit number."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def decode_ulid(text: str) -> int:
    """The 128-bit number behind 26 well-formed characters."""
    return int(text.translate(_TO_PYTHON_BASE32), 32)


def is_id(prefix: str, text: str) -> bool:
    """Whether `text` is `prefix` followed by a well-formed ULID."""
    return text.startswith(prefix) and _ULID.fullmatch(text, len(prefix)) is not None


def parse_document_id(text: str) -> DocumentId | None:
    """The id `text` spells, or `None` where no document can have it."""
    return DocumentId(text) if is_id("doc_", text) else None


def parse_workspace_id(text: str) -> WorkspaceId | None:
    """The id `text` spells, or `None` where no workspace can have it."""
    return WorkspaceId(text) if is_id("ws_", text) else None


def parse_user_id(text: str) -> UserId | None:
    """The id `text` spells, or `None` where no user can have it."""
    return UserId(text) if is_id("usr_", text) else None


def parse_api_key_id(text: str) -> ApiKeyId | None:
    """The id `text` spells, or `None` where no API key can have it."""
    return ApiKeyId(text) if is_id("key_", text) else None


def parse_entity_link_id(text: str) -> EntityLinkId | None:
    """The id `text` spells, or `None` where no link can have it."""
    return EntityLinkId(text) if is_id("dlnk_", text) else None
