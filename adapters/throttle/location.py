"""The setting that names a Valkey: `valkey://user:password@host:6379/0`, or `valkey+unix:///run/valkey.sock?db=0`."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

WANTED = (
    "must be memory://, or a URL such as valkey://user:password@host:6379/0, valkeys://… for TLS, or "
    "valkey+unix:///run/valkey.sock; redis in place of valkey is taken too"
)
DEFAULT_PORT = 6379

_TCP = ("valkey", "redis")
_TLS = ("valkeys", "rediss")
_UNIX = ("valkey+unix", "redis+unix")
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_DATABASE = re.compile(r"/?|/[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValkeyLocation:
    """One server, Valkey or Redis. `shown` is for people: it holds no password."""

    url: str = field(repr=False)
    shown: str
    is_encrypted: bool


def valkey_location(url: str) -> ValkeyLocation:
    """The server that the setting names.

    Raises:
        ValueError: saying what is wrong, as the end of a sentence that begins with the setting's name.
    """
    if not url.isascii() or not url.isprintable() or "#" in url or " " in url:
        raise ValueError(f"{WANTED}; '#', spaces and what is not ASCII are percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{WANTED}; what is special in a password is percent-encoded") from None
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
        raise ValueError("must name one server: a cluster or a list of sentinels is not used")
    if not parts.hostname or port == 0:
        raise ValueError(WANTED)
    if not _DATABASE.fullmatch(parts.path):
        raise ValueError("must have nothing or the number of a database after the host, such as /0")
    _require_parameters(parts.query, _TLS_FILES if parts.scheme in _TLS else ())
    # What reads the URL after us wants a port.
    server = server if port is not None else f"{server.rstrip(':')}:{DEFAULT_PORT}"
    return ValkeyLocation(
        url=parts._replace(netloc=credentials + at + server).geturl(),
        shown=f"{parts.scheme}://{server}{parts.path}",
        is_encrypted=parts.scheme in _TLS,
    )


def _require_parameters(query: str, known: Collection[str]) -> None:
    # The client takes any word of its own constructor here, time limits too, and fails at the first use of a wrong one.
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            those = f"; there is {', '.join(known)}" if known else "; there is none for this kind of URL"
            raise ValueError(f"has the parameter {name!r}{those}")
        if not value or (name == "db" and not value.isdecimal()):
            raise ValueError(f"has a {name} that is none")
