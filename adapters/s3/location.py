"""The setting that names a bucket: `s3://bucket?region=…&endpoint=…&public_endpoint=…&addressing=path|virtual`."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Addressing = Literal["path", "virtual"]

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", re.ASCII)
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_REGION = re.compile(r"[a-z0-9\-]{1,63}", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_\-]{1,63}(?:\.[a-z0-9_\-]{1,63})*", re.ASCII)
_PARAMETERS = ("region", "endpoint", "public_endpoint", "addressing")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Servers other than AWS accept this region unless an operator configured another one.
_ANY_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a bucket. The URL of an object is `origin`, `path` and its key; signatures cover `host`."""

    origin: str
    host: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """A bucket, the endpoint at which Dossier reaches it, and the endpoint at which clients with a signed URL reach it.

    `endpoint` is `None` for AWS. `public_endpoint` is `None` if clients use the same endpoint as Dossier.
    """

    bucket: str
    region: str
    endpoint: str | None
    public_endpoint: str | None
    addressing: Addressing

    @property
    def address(self) -> Address:
        """The address at which Dossier reaches the bucket."""
        return self._at(self.endpoint or self._aws())

    @property
    def public_address(self) -> Address:
        """The address at which clients reach the bucket."""
        return self._at(self.public_endpoint or self.endpoint or self._aws())

    def _aws(self) -> str:
        return f"https://s3.{self.region}.amazonaws.com" + (".cn" if self.region.startswith("cn-") else "")

    def _at(self, endpoint: str) -> Address:
        scheme, _, host = endpoint.partition("://")
        if self.addressing == "path":
            return Address(endpoint, host, f"/{self.bucket}/")
        return Address(f"{scheme}://{self.bucket}.{host}", f"{self.bucket}.{host}", "/")


def s3_location(url: str) -> S3Location:
    """Return the bucket that the setting names.

    Raises:
        ValueError: the setting is wrong. The text continues a sentence that begins with the name of the setting.
    """
    # Signed URLs are ASCII. Some URL parsers keep invisible characters, others drop them.
    if not url.isascii() or not url.isprintable() or "#" in url or " " in url:
        raise ValueError("must be a URL such as s3://bucket?region=eu-central-1, without '#' or spaces")
    bucket, path, query = _split(url)
    if "@" in bucket:
        raise ValueError("must not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role")
    if path not in ("", "/"):
        raise ValueError("must not have a path: the whole bucket is Dossier's")
    if not _BUCKET.fullmatch(bucket) or _IPV4.fullmatch(bucket):
        raise ValueError(
            "must name a bucket: 3 to 63 lower-case letters, digits, '-' and '.', such as s3://acme-documents?region=…"
        )
    given = _parameters(query)
    endpoint = _endpoint("endpoint", given.get("endpoint"))
    return S3Location(
        bucket=bucket,
        region=_region(given.get("region"), endpoint),
        endpoint=endpoint,
        public_endpoint=_endpoint("public_endpoint", given.get("public_endpoint")),
        addressing=_addressing(given, bucket),
    )


def _split(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("must be a URL such as s3://bucket?region=eu-central-1") from None
    if parts.scheme != "s3":
        raise ValueError("must begin with s3://")
    return parts.netloc, parts.path, parts.query


def _parameters(query: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise ValueError(
                f"has the unknown parameter {name!r}; use {', '.join(_PARAMETERS[:-1])} or {_PARAMETERS[-1]}"
            )
        if name in given:
            raise ValueError(f"must have {name} only once")
        if not value:
            raise ValueError(f"has an empty {name}; leave it out")
        given[name] = value
    return given


def _region(region: str | None, endpoint: str | None) -> str:
    # Signatures cover the region, and AWS accepts only the bucket's. It is not read from AWS_REGION, which is the
    # region of this machine and not of the bucket.
    if region is None and endpoint is None:
        raise ValueError("must have the region of the bucket, such as ?region=eu-central-1, or an endpoint")
    if region is not None and not _REGION.fullmatch(region):
        raise ValueError("must have a region such as eu-central-1")
    return region or _ANY_REGION


def _endpoint(name: str, url: str | None) -> str | None:
    """Return scheme, host and port in the form in which an HTTP client sends `Host`: in lower case, without the default
    port."""
    if url is None:
        return None
    wanted = (
        f"must have as its {name} a URL such as https://s3.example.com or http://10.0.0.7:9000, and nothing after that"
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"must not hold credentials in its {name}")
    bare = url.partition("://")[2].removesuffix("/")
    if parts.scheme not in _DEFAULT_PORTS or bare != parts.netloc or unquote(url) != url or port == 0:
        raise ValueError(wanted)
    host = (parts.hostname or "").lower()
    if _is_address(host) and ":" in host:
        host = f"[{host}]"
    elif not _HOST.fullmatch(host):
        raise ValueError(wanted)
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")


def _addressing(given: dict[str, str], bucket: str) -> Addressing:
    match given.get("addressing"):
        case "path":
            return "path"
        case "virtual":
            for name in ("endpoint", "public_endpoint"):
                if name in given and _is_address(urlsplit(given[name]).hostname or ""):
                    raise ValueError(
                        f"must not have addressing=virtual if the {name} is an IP address instead of a name"
                    )
            return "virtual"
        case None:
            # No wildcard certificate covers the host name of a bucket with dots. Servers other than AWS support virtual
            # hosts only if an operator configured their domain.
            return "path" if "endpoint" in given or "." in bucket else "virtual"
        case _:
            raise ValueError("must have addressing=path or addressing=virtual")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
