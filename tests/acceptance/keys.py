"""API keys: as the contract writes them (wbk_, 32 base62 characters, 6 of checksum), and made over HTTP."""

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
    """The contract leaves open the alphabet's order and whether the prefix is summed: every reading of it."""
    for order in itertools.permutations((DIGITS, UPPER, LOWER)):
        for prefixed in (True, False):
            alphabet = "".join(order)
            summed = zlib.crc32((("wbk_" if prefixed else "") + body).encode())
            yield alphabet, prefixed, _base62(summed, alphabet)


def has_checksum(key: str) -> bool:
    return any(checksum == key[-6:] for _, _, checksum in _readings(key[4:-6]))


def unknown_key(model: str) -> str:
    """A key nobody was given, with a checksum that is right if `model`'s is."""
    fitting = [reading for reading in _readings(model[4:-6]) if reading[2] == model[-6:]]
    assert fitting, "a key's last six characters are no CRC-32 of what precedes"
    alphabet, prefixed, _ = fitting[0]
    body = "".join(secrets.choice(alphabet) for _ in range(32))
    summed = zlib.crc32((("wbk_" if prefixed else "") + body).encode())
    return f"wbk_{body}{_base62(summed, alphabet)}"


def wanted(**members: Any) -> dict[str, Any]:
    """The smallest body that makes a key, changed by `members`."""
    body = {"name": f"k-{uuid4()}", "permissions": ["read:documents"]} | members
    return {name: value for name, value in body.items() if value is not OMIT}


def mint(client: Client, headers: HeaderList | None = None, **members: Any) -> httpx.Response:
    return client.post(KEYS, wanted(**members), headers)


def minted(client: Client, **members: Any) -> dict[str, Any]:
    """`data` of a key which must be made."""
    return data_of(mint(client, **members), 201)


def revoke(client: Client, key_id: str, headers: HeaderList | None = None) -> httpx.Response:
    return client.delete(f"{KEYS}/{key_id}", headers)


def on_the_wire(seconds: float) -> str:
    """The time so many seconds from now, cut to a whole one."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
