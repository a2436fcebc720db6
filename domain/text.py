"""Rules for text that people write: in NFC, of bounded length in code points, without control characters.

Unicode normalisation form C: https://unicode.org/reports/tr15/
"""

import unicodedata
from collections.abc import Collection

from domain.members import RuleViolation


def string(value: object) -> str:
    """Return a JSON string."""
    if not isinstance(value, str):
        raise RuleViolation("must be a string")
    return value


def clean_text(
    value: object,
    *,
    most: int,
    least: int = 1,
    hidden: Collection[str] = ("Cc", "Cs"),
    kept: str = "",
) -> str:
    """Return the text in NFC. It must have `least` to `most` code points.

    Characters of the Unicode general categories `hidden` are refused, except those in `kept`. Surrogates (Cs) are
    always among them, because they cannot be encoded in UTF-8.
    """
    text = string(value)
    # Most text is printable ASCII. It is already in NFC and has no hidden characters, so the slow checks are skipped.
    is_plain = text.isascii() and text.isprintable()
    if not is_plain:
        text = unicodedata.normalize("NFC", text)
    if not least <= len(text) <= most:
        raise RuleViolation(f"must have {least} to {most} characters")
    if not is_plain and any(unicodedata.category(char) in hidden and char not in kept for char in text):
        raise RuleViolation("must not contain control characters or invisible characters")
    return text


def not_blank(text: str) -> str:
    """Return the text. It must contain more than spaces and formatting characters.

    An unassigned character (Cn) counts as visible: a newer version of Unicode may give it a shape.
    """
    if all(unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf") for char in text):
        raise RuleViolation("must not be blank")
    return text


def fold(text: str) -> str:
    """Return the text in the form in which searches compare it, without letter case.

    The domain folds, not the database: no database folds as Python does, and memory and Postgres must agree.
    """
    return unicodedata.normalize("NFC", text).casefold()
