"""API keys: their format (wbk_, 32 base62 characters, 6 of checksum), and their creation over HTTP."""

import itertools
import secrets
import string
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from .client import OMIT, Client, HeaderList, data_of

KEYS = "/v1/api-keys"
PERMISSIONS = ("admin:api_keys", "admin:documents", "read:documents", "write:documents")

DIGITS, UPPER, LOWER = string.digits, string.ascii_uppercase, string.ascii_lowercase


def _base62(number: int, alphabet: str) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = alphabet[digit] + text
    return text.rjust(6, alphabet[0])


def _readings(body: str) -> Iterator[tuple[str, bool, str]]:
    """Yield each reading of the contract: it leaves open the order of the alphabet and whether the prefix is summed."""
    for order in itertools.permutations((DIGITS, UPPER, LOWER)):
        for prefixed in (True, False):
            alphabet = "".join(order)
            summed = zlib.crc32((("wbk_" if prefixed else "") + body).encode())
            yield alphabet, prefixed, _base62(summed, alphabet)


def has_checksum(key: str) -> bool:
    return any(checksum == key[-6:] for _, _, checksum in _readings(key[4:-6]))


def unknown_key(model: str) -> str:
    """Return an API key that does not exist, with a checksum that is right if that of `model` is."""
    fitting = [reading for reading in _readings(model[4:-6]) if reading[2] == model[-6:]]
    assert fitting, "a key's last six characters are no CRC-32 of what precedes"
    alphabet, prefixed, _ = fitting[0]
    body = "".join(secrets.choice(alphabet) for _ in range(32))
    summed = zlib.crc32((("wbk_" if prefixed else "") + body).encode())
    return f"wbk_{body}{_base62(summed, alphabet)}"


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


def on_the_wire(seconds: float) -> str:
    """Return the time so many seconds from now, cut to a whole second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
