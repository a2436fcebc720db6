"""Read the environment into `Settings`. All mistakes are reported together, before anything starts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import SplitResult, unquote, urlsplit

from limits import parse_many

from adapters.s3.location import s3_location
from adapters.throttle.location import valkey_location
from domain.rate_limits import Plan, Plans, Window
from domain.retention import EVENTS_KEPT
from domain.uploads import UploadRules

PREFIX = "DOSSIER_"
# RFC 3986 without query and fragment. Signed URLs begin with the public URL, so it needs no escaping.
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%]+")

# A browser sends an origin in lower case, without its default port and without a slash at the end (RFC 6454 6.2).
# Extensions and apps have schemes of their own: moz-extension://…, capacitor://localhost.
_ORIGIN = re.compile(
    r"(?!http://.*:80\Z|https://.*:443\Z|(?:file|ftp|wss?)://)"
    r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)

T = TypeVar("T")


class SettingsError(Exception):
    """Some settings are invalid. The text has one line for each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a deployment.

    `database_url` is `None` for the embedded Postgres below `data_dir`, until `serve` has started it;
    `is_database_embedded` is true before and after. `public_url` is `None` if no address is
    configured. Then signed URLs begin with `address`, at which `serve` listens. `address` is not read from the
    environment. `rate_limit_shares` divides the rate limits while the processes cannot count together because Valkey is
    unavailable; `None` means `workers`. `workers` is not read from the environment: it is an option of `dossier serve`.
    """

    data_dir: Path
    database_url: str | None
    postgres_bin: Path | None
    storage_url: str
    rate_limit_url: str
    rate_limit_shares: int | None
    public_url: str | None
    cors_origins: tuple[str, ...]
    secret: str | None
    trusted_proxies: tuple[str, ...]
    keep_alive_seconds: int
    min_free_bytes: int
    uploads: UploadRules
    events_kept: timedelta | None
    plans: Plans
    is_database_embedded: bool = False
    workers: int = 1
    address: str = "http://127.0.0.1:8000"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment. An empty variable counts as not set.

        Raises:
            SettingsError: naming every invalid variable, and what a valid value looks like.
        """
        variables = _Variables(environ)
        data_dir = variables.read("DATA_DIR", "./data", _path)
        # `data_dir` is None if it is invalid. It is converted to text here, so that it does not cause a second error.
        default_files = Path("/", str(data_dir), "files").as_uri()
        database_url = variables.read_optional("DATABASE_URL", _database_url)
        settings = cls(
            data_dir=data_dir,
            database_url=database_url,
            is_database_embedded=database_url is None,
            postgres_bin=variables.read_optional("POSTGRES_BIN", _binaries),
            storage_url=variables.read("STORAGE_URL", default_files, _storage_url),
            rate_limit_url=variables.read("RATE_LIMIT_URL", "memory://", _rate_limit_url),
            rate_limit_shares=variables.read_optional("RATE_LIMIT_SHARES", _count),
            public_url=variables.read_optional("PUBLIC_URL", _public_url),
            cors_origins=variables.read("CORS_ORIGINS", "", _origins),
            secret=variables.read_optional("SECRET", _secret),
            trusted_proxies=variables.read("TRUSTED_PROXIES", "", _networks),
            keep_alive_seconds=variables.read("KEEP_ALIVE_SECONDS", "75", _count),
            min_free_bytes=variables.read("MIN_FREE_BYTES", str(2**30), _bytes),
            uploads=UploadRules(
                unsized_bytes=variables.read("UNSIZED_UPLOAD_BYTES", str(64 * 2**20), _bytes),
                require_size=variables.read("REQUIRE_UPLOAD_SIZE", "off", _switch),
            ),
            events_kept=variables.read("EVENTS_KEPT_DAYS", str(EVENTS_KEPT.days), _days),
            plans={
                Plan.STARTER: variables.read("PLAN_STARTER", "10/minute;100/day", _windows),
                Plan.PRO: variables.read("PLAN_PRO", "50/minute;1000/day", _windows),
                Plan.ORG: variables.read("PLAN_ORG", "200/minute;10000/day", _windows),
            },
        )
        variables.finish()
        return settings


def storage_directory(url: str) -> Path:
    """Return the directory of a `file://` URL."""
    return Path(unquote(urlsplit(url).path))


class _Variables:
    """Reads one variable after the other, and collects the mistakes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._unread = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX) and value}
        self._mistakes: list[str] = []

    def read(self, name: str, default: str, rule: Callable[[str], T]) -> T:
        return self._apply(name, rule, self._unread.pop(PREFIX + name, default))

    def read_optional(self, name: str, rule: Callable[[str], T]) -> T | None:
        text = self._unread.pop(PREFIX + name, None)
        return None if text is None else self._apply(name, rule, text)

    def finish(self) -> None:
        # A misspelt setting would silently keep its default.
        for name, value in self._unread.items():
            if name not in _OF_THE_CLIENT and not _is_of_kubernetes(name, value):
                remedy = _OPTIONS.get(name, "docs/operations.md lists the settings")
                if name != name.upper():
                    remedy = f"did you mean {name.upper()}?"
                self._mistakes.append(f"{name} is not a setting of Dossier; {remedy}")
        if self._mistakes:
            raise SettingsError("\n".join(self._mistakes))

    def _apply(self, name: str, rule: Callable[[str], T], text: str) -> T:
        try:
            return rule(text)
        except ValueError as error:
            self._mistakes.append(f"{PREFIX}{name} {error}")
            return cast("T", None)  # never used, because finish() raises


_OF_THE_CLIENT = (f"{PREFIX}URL", f"{PREFIX}API_KEY")
"""The variables of the commands for people, which a shell that starts a server may also have."""

_OPTIONS = {
    f"{PREFIX}HOST": "the address is an option: dossier serve --host",
    f"{PREFIX}PORT": "the port is an option: dossier serve --port",
    f"{PREFIX}WORKERS": "the number of processes is an option: dossier serve --workers",
}
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_KUBERNETES = re.compile(
    rf"{PREFIX}(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)


def _is_of_kubernetes(name: str, value: str) -> bool:
    """Return whether Kubernetes has set the variable, for a service whose name begins with dossier."""
    if _KUBERNETES.fullmatch(name):
        return True
    return name.endswith("_PORT") and re.match(r"(?:tcp|udp|sctp)://", value) is not None


def _path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("must be a path")
    try:
        return Path(text).expanduser().resolve()
    except RuntimeError:
        raise ValueError("must not begin with the home of an unknown user") from None


def _database_url(text: str) -> str:
    wanted = "must be a URL such as postgresql://user:password@host/database"
    parts = _split(text, wanted)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(wanted)
    return text


def _binaries(text: str) -> Path:
    path = _path(text)
    if not (path / "postgres").exists() or not (path / "initdb").exists():
        raise ValueError("must be a directory that contains the programs postgres and initdb")
    return path


def _split(text: str, wanted: str) -> SplitResult:
    """Return the parts of a URL, after a check of its port."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(wanted) from None
    return parts


def _storage_url(text: str) -> str:
    wanted = (
        "must be a URL such as file:///srv/dossier/files, with an absolute path in which '#' and '?' are %23 and %3F, "
        "or s3://bucket?region=eu-central-1"
    )
    parts = _split(text, wanted)
    if parts.scheme == "s3":
        s3_location(text)
        return text
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError(wanted)
    if "?" in text or "#" in text or "\0" in unquote(parts.path):
        raise ValueError(wanted)
    return text


def _rate_limit_url(text: str) -> str:
    if text == "memory://":
        return text
    valkey_location(text)
    return text


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) < 1:
        raise ValueError("must be a whole number, 1 or more")
    return int(text)


def _bytes(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ValueError("must be a whole number of bytes")
    return int(text)


def _days(text: str) -> timedelta | None:
    if text == "forever":
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) < 1:
        raise ValueError("must be a whole number of days, 1 or more, or forever")
    return timedelta(days=int(text))


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("must be on or off")
    return text == "on"


def _public_url(text: str) -> str:
    wanted = "must be the address at which clients reach this service, such as https://documents.example.com"
    parts = _split(text, wanted)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(wanted)
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError(wanted)
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    if "*" in origins and len(origins) > 1:
        raise ValueError("must be '*' alone, which allows every origin, or a list of origins")
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("must be origins as browsers send them, such as https://app.example.com, or '*' for every one")
    return origins


def _secret(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text in UTF-8") from None
    if len(text) < 32:
        raise ValueError("must have at least 32 characters, such as the output of: openssl rand -hex 32")
    return text


def _networks(text: str) -> tuple[str, ...]:
    networks = tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        for network in networks:
            ip_network(network)
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.1, 10.1.0.0/16") from None
    return networks


def _windows(text: str) -> tuple[Window, ...]:
    try:
        windows = tuple(Window(item.amount, item.get_expiry()) for item in parse_many(text))
    except ValueError:
        raise ValueError("must be limits such as 10/minute;100/day") from None
    if any(window.limit < 1 for window in windows):
        raise ValueError("must allow at least one request in each window")
    if len({window.seconds for window in windows}) < len(windows):
        raise ValueError("must not have two limits for the same window")
    return windows
