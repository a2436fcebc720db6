"""A strict parser for JSON objects. It refuses everything that JSON parsers interpret differently (RFC 8259, RFC 7493).

msgspec is not used, because it silently keeps the last of two members with the same name.
"""

import codecs
import json
import math
from collections.abc import Iterator

from domain.members import Members, RuleViolation

NESTING_MAX = 32


def parse_object(raw: bytes) -> Members:
    """Return the members of a JSON object in UTF-8.

    Raises:
        RuleViolation: `raw` is not such an object, is nested too deep, or contains text that cannot be stored.
    """
    try:
        # A byte-order mark before the text is ignored (RFC 8259 8.1). PowerShell and .NET write one.
        value = _DECODER.decode(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
    except UnicodeDecodeError:
        raise RuleViolation("must be UTF-8") from None
    except RecursionError:
        raise RuleViolation(f"must not nest deeper than {NESTING_MAX}") from None
    except RuleViolation:
        raise
    # The error is a JSONDecodeError, or an integer has more digits than Python converts.
    except ValueError:
        raise RuleViolation("must be well-formed JSON") from None
    if not isinstance(value, dict):
        raise RuleViolation("must be a JSON object")
    # Only an escape (\u) can write NUL or a lone surrogate: JSON forbids raw control characters, UTF-8 surrogates.
    if b"\\u" in raw or raw.count(b"{") + raw.count(b"[") > NESTING_MAX:
        _check(value, NESTING_MAX)
    return value


def check_text(text: str) -> None:
    """Refuse text that no database and no other client could store.

    Raises:
        RuleViolation: it contains NUL or a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RuleViolation("must not contain lone surrogates") from None
    if "\0" in text:
        raise RuleViolation("must not contain NUL")


def _check(value: object, levels: int) -> None:
    """Check all text in `value`, and that it nests at most `levels` deep."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict | list):
        if levels == 0:
            raise RuleViolation(f"must not nest deeper than {NESTING_MAX}")
        for item in _children(value):
            _check(item, levels - 1)


def _children(value: dict[str, object] | list[object]) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    else:
        yield from value


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RuleViolation("must not have two members of one name")
    return members


def _no_constant(name: str) -> object:
    raise RuleViolation(f"must not contain {name}, which is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RuleViolation("must not contain numbers that no double holds")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_constant, parse_float=_finite)
