"""Text that people write: NFC, bounded in code points, without characters that hide or control.

Unicode normalisation form C: https://unicode.org/reports/tr15/
"""

import unicodedata
from collections.abc import Collection

from domain.members import RuleViolation


def string(value: object) -> str:
    """A JSON string."""
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
    """Text in NFC of `least` to `most` code points, free of the general categories `hidden` but for `kept`.

    Surrogates (Cs) are no text: they cannot be encoded in UTF-8.
    """
    text = string(value)
    # Most text is printable ASCII, of which nothing is hidden and which is its own NFC: no need to look at each one.
    is_plain = text.isascii() and text.isprintable()
    if not is_plain:
        text = unicodedata.normalize("NFC", text)
    if not least <= len(text) <= most:
        raise RuleViolation(f"must have {least} to {most} characters")
    if not is_plain and any(unicodedata.category(char) in hidden and char not in kept for char in text):
        raise RuleViolation("must not contain control characters, or others that cannot be seen")
    return text


def not_blank(text: str) -> str:
    """Text with something in it to see: more than spaces and formatting.

    An unassigned character (Cn) may have a shape in a Unicode that is newer than ours.
    """
    if all(unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf") for char in text):
        raise RuleViolation("must not be blank")
    return text


def fold(text: str) -> str:
    """Text as it is compared where letter case does not matter. By us: no database folds as Python does."""
    return unicodedata.normalize("NFC", text).casefold()
