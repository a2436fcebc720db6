"""How a browser receives a file: as a file to save, or to show if it cannot run; never as a page to run.

Content-Disposition is RFC 6266, its `filename*` RFC 8187; media types are RFC 6838.
"""

import unicodedata
from urllib.parse import quote

from domain.members import RuleViolation

_INERT = "application/octet-stream"
# A browser may execute these types or render them as a page, and they would then run in the store's origin.
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
# Browsers show these types without running anything of them in the store's origin: PDF in a viewer of its own.
_SHOWN = frozenset(
    {
        *("application/pdf", "text/plain"),
        *("image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp"),
    }
)
_FILE_NAME_MAX = 150
_EXTENSION_MAX = 16


def served_type(mime_type: str) -> str:
    """Return the media type to serve a file as: its own, or application/octet-stream if a browser might execute it."""
    essence = mime_type.partition(";")[0].strip().lower()
    return _INERT if essence in _ACTIVE or essence.endswith("+xml") else mime_type


def is_inline(value: object) -> bool:
    """Read a disposition: inline or attachment."""
    if value not in ("attachment", "inline"):
        raise RuleViolation("must be attachment or inline")
    return value == "inline"


def can_be_shown(mime_type: str) -> bool:
    """Return whether a browser may show a file in place: PDF, plain text, raster images, audio and video."""
    essence = mime_type.partition(";")[0].strip().lower()
    return essence in _SHOWN or essence.startswith(("audio/", "video/"))


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the Content-Disposition of a file: to save it under its name, or `inline`, to show it in place.

    The name is given in ASCII for old clients and in UTF-8.
    """
    # Clients disagree about quotes, backslashes and percent signs (RFC 6266, appendix D).
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%/' else "_" for char in _ascii(name))
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_file_name(name: str) -> str:
    """Return a last segment for an object key: at most 150 letters, digits, `.`, `_` and `-`; never empty or hidden."""
    kept = "".join(char if char.isalnum() or char in "._-" else " " for char in _ascii(name))
    whole = "-".join(kept.split())
    stem, dot, extension = whole.rpartition(".")
    if not dot or not extension.isalnum() or len(extension) > _EXTENSION_MAX:
        stem, dot, extension = whole, "", ""
    ending = dot + extension
    return (stem.strip(".-") or "file")[: _FILE_NAME_MAX - len(ending)] + ending


def _ascii(name: str) -> str:
    """Return the name without accents. A character without an ASCII form becomes `_`."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(
        char if char.isascii() else "_" for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf")
    )
