"""The headers with which a browser saves a file, or shows it if it cannot run, and never runs it as a page.

RFC 6266 defines Content-Disposition, RFC 8187 its `filename*`, and RFC 6838 media types.
"""

import re
import unicodedata
from urllib.parse import quote

from domain.members import RuleViolation

_INERT = "application/octet-stream"
# A browser may execute files of these types or render them as a page. They would then run in the store's origin.
# https://mimesniff.spec.whatwg.org/#mime-type-groups lists the types of scripts and of XML.
_ACTIVE = frozenset(
    {
        *("application/ecmascript", "application/javascript", "application/x-ecmascript", "application/x-javascript"),
        *("text/ecmascript", "text/javascript", "text/x-ecmascript", "text/x-javascript"),
        *(f"text/javascript1.{version}" for version in range(6)),
        *("text/jscript", "text/livescript", "text/vbscript"),
        *("application/xml", "text/xml", "text/xsl"),
        *("application/xml-external-parsed-entity", "text/xml-external-parsed-entity"),
        *("application/x-shockwave-flash", "multipart/x-mixed-replace", "text/cache-manifest", "text/html"),
    }
)
# When browsers show files of these types, no code of the file runs in the store's origin. PDF has a separate viewer.
_SHOWN = frozenset(
    {
        *("application/pdf", "text/plain"),
        *("image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp"),
    }
)
# Clients disagree about quotes, backslashes and percent signs (RFC 6266, appendix D).
_UNSAFE_IN_QUOTES = re.compile(r'[^ -~]|["\\%/]')
_FILE_NAME_MAX = 150
_EXTENSION_MAX = 16


def served_type(mime_type: str) -> str:
    """Return the media type to serve a file as: its own, or application/octet-stream if a browser might execute it."""
    essence = mime_type.partition(";")[0].strip().lower()
    return _INERT if essence in _ACTIVE or essence.endswith("+xml") else mime_type


def is_inline(value: object) -> bool:
    """Return whether the parameter `disposition` is `inline` and not `attachment`."""
    if value not in ("attachment", "inline"):
        raise RuleViolation("must be attachment or inline")
    return value == "inline"


def can_be_shown(mime_type: str) -> bool:
    """Return whether a browser may show a file in place: PDF, plain text, raster images, audio and video."""
    essence = mime_type.partition(";")[0].strip().lower()
    return essence in _SHOWN or essence.startswith(("audio/", "video/"))


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the Content-Disposition of a file. It makes a browser save the file under its name, or show it if
    `inline`.

    The name is given in ASCII for old clients and in UTF-8.
    """
    plain = _UNSAFE_IN_QUOTES.sub("_", _ascii(name))
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_file_name(name: str) -> str:
    """Return the last segment of an object key for a file of this name: at most 150 letters, digits, `.`, `_` and `-`.
    It is never empty and never begins with a dot."""
    kept = "".join(char if char.isalnum() or char in "._-" else " " for char in _ascii(name))
    whole = "-".join(kept.split())
    stem, dot, extension = whole.rpartition(".")
    if not dot or not extension.isalnum() or len(extension) > _EXTENSION_MAX:
        stem, dot, extension = whole, "", ""
    ending = dot + extension
    return (stem.strip(".-") or "file")[: _FILE_NAME_MAX - len(ending)] + ending


def _ascii(name: str) -> str:
    """Return the name without accents. A character without an ASCII form becomes `_`."""
    if name.isascii():
        return name
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(
        char if char.isascii() else "_" for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf")
    )
