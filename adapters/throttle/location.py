"""The setting that names a Valkey or Redis: `valkey://user:password@host:6379/0`, `valkey+unix:///run/valkey.sock?db=0`."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

WANTED = (
    "must be memory://, or a URL such as valkey://user:password@host:6379/0, valkeys://… for TLS, or "
    "valkey+unix:///run/valkey.sock; redis may take the place of valkey"
)
DEFAULT_PORT = 6379

_TCP = ("valkey", "redis")
_TLS = ("valkeys", "rediss")
_UNIX = ("valkey+unix", "redis+unix")
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_DATABASE = re.compile(r"/?|/[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValkeyLocation:
    """One server, Valkey or Redis. `shown` is its URL without user and password, for messages."""

    url: str = field(repr=False)
    shown: str
    is_encrypted: bool


def valkey_location(url: str) -> ValkeyLocation:
    """Return the server that the setting names.

    Raises:
        ValueError: the setting is wrong. The text continues a sentence that begins with the name of the setting.
    """
    if not url.isascii() or not url.isprintable() or "#" in url or " " in url:
        raise ValueError(f"{WANTED}; percent-encode '#', spaces and characters that are not ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{WANTED}; percent-encode special characters in a password") from None
    credentials, at, server = parts.netloc.rpartition("@")
    if "@" in credentials or "\0" in unquote(url):
        raise ValueError("must have '@' in a user or password as %40, and no %00")
    if parts.scheme in _UNIX:
        if server or not parts.path.startswith("/") or parts.path == "/":
            raise ValueError(
                "must have nothing but the absolute path of a socket, as in valkey+unix:///run/valkey.sock"
            )
        _require_parameters(parts.query, ("db",))
        return ValkeyLocation(url, f"{parts.scheme}://{parts.path}", is_encrypted=False)
    if parts.scheme not in (*_TCP, *_TLS):
        raise ValueError(WANTED)
    if "," in server:
        raise ValueError("must name one server: clusters and lists of sentinels are not supported")
    if not parts.hostname or port == 0:
        raise ValueError(WANTED)
    if not _DATABASE.fullmatch(parts.path):
        raise ValueError("must have after the host nothing, or the number of a database such as /0")
    _require_parameters(parts.query, _TLS_FILES if parts.scheme in _TLS else ())
    # The client library requires a port.
    server = server if port is not None else f"{server.rstrip(':')}:{DEFAULT_PORT}"
    return ValkeyLocation(
        url=parts._replace(netloc=credentials + at + server).geturl(),
        shown=f"{parts.scheme}://{server}{parts.path}",
        is_encrypted=parts.scheme in _TLS,
    )


def _require_parameters(query: str, known: Collection[str]) -> None:
    # The client library would accept every argument of its constructor in the URL, such as timeouts. If one is wrong,
    # it would fail at the first call.
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            remedy = f"use {', '.join(known)}" if known else "this kind of URL has no parameters"
            raise ValueError(f"has the unknown parameter {name!r}; {remedy}")
        if not value or (name == "db" and not value.isdecimal()):
            raise ValueError(f"has an invalid {name}")
