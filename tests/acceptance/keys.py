"""API keys: their format (wbk_, 32 base62 characters, 6 characters of checksum), and requests about them."""

import secrets
import string
import zlib
from typing import Any
from uuid import uuid4

import httpx

from .client import OMIT, Client, HeaderList, data_of

KEYS = "/v1/api-keys"
PERMISSIONS = ("admin:api_keys", "admin:documents", "read:documents", "write:documents")
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def unknown_key() -> str:
    """Return an API key that does not exist, with a valid checksum: the CRC-32 of the other characters, in base62."""
    text = "wbk_" + "".join(secrets.choice(BASE62) for _ in range(32))
    rest, checksum = zlib.crc32(text.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        checksum = BASE62[digit] + checksum
    return text + checksum


def wanted(**members: Any) -> dict[str, Any]:
    """Return the smallest body that creates an API key, changed by `members`."""
    body = {"name": f"k-{uuid4()}", "permissions": ["read:documents"]} | members
    return {name: value for name, value in body.items() if value is not OMIT}


def mint(client: Client, headers: HeaderList | None = None, **members: Any) -> httpx.Response:
    return client.post(KEYS, wanted(**members), headers)


def minted(client: Client, **members: Any) -> dict[str, Any]:
    """Create an API key and return its `data`."""
    return data_of(mint(client, **members), 201)


def revoke(client: Client, key_id: str, headers: HeaderList | None = None) -> httpx.Response:
    return client.delete(f"{KEYS}/{key_id}", headers)
