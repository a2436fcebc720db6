"""Rules for text that people write: the characters that are allowed, and the texts that are equal in a search.

Unicode normalisation forms: https://unicode.org/reports/tr15/
"""

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

from domain.members import RuleViolation

MARKS_MAX = 30
"""The most combining marks in a row. The number is that of the Stream-Safe Text Format (UAX 15, section 13).

CPython normalises a longer run in quadratic time: 60,000 marks take seconds.
"""

FOLD_GROWTH_MAX = 2
FOLD_CHARACTERS_MIN = 1000
"""Of the compatibility form of a text, a search compares at most twice as many characters as the text has, or 1,000
if that is more.

U+FDFA alone becomes 18 characters. Without a bound, a description of 12 KB took a second to fold and to index.
"""

NAMELESS = "unnamed"
"""The label that replaces a label without a visible character."""

# Normalisation to NFC shortens no text to less than a third (a Hangul syllable of three letters), so a longer text is
# too long in any form.
_SHRINKS_BY = 4

_CONTROL = "\0-\x1f\x7f-\x9f\ud800-\udfff"
# Overrides, embeddings and isolates: they make a name read as another one, such as "gpj.exe" as "exe.jpg".
_BIDIRECTIONAL = "\u202a-\u202e\u2066-\u2069"
# These are Unicode's Default_Ignorable_Code_Point, without the joiners (U+200C and U+200D), which Persian, Hindi and
# emoji need, and without the variation selectors.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_JOINING = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
# The Braille pattern without dots is visible in no font, although Unicode counts it as a symbol.
_BLANK_SYMBOL = "\u2800"
# Unicode's White_Space.
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

_REFUSED = re.compile(f"[{_CONTROL}{_BIDIRECTIONAL}\u2028\u2029]")
_REFUSED_IN_LINES = re.compile(f"(?![\\t\\n])[{_CONTROL}{_BIDIRECTIONAL}]")
# Private-use characters look alike in most fonts. U+2028 and U+2029 are line ends.
_REFUSED_IN_LABELS = re.compile(
    f"[{_CONTROL}{_BIDIRECTIONAL}{_INVISIBLE}\u2028\u2029\ue000-\uf8ff\U000f0000-\U0010ffff]"
)
# The emoji of the flags of England, Scotland and Wales contain characters that are otherwise invisible.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_FLAG_OR_REFUSED = re.compile(f"({_FLAG.pattern})|{_REFUSED_IN_LABELS.pattern}")
_UNSEEN = re.compile(f"[{_CONTROL}{_BIDIRECTIONAL}{_INVISIBLE}{_JOINING}{_SPACES}{_BLANK_SYMBOL}]*")
_SPACE_SEPARATOR = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_IGNORED_IN_SEARCH = re.compile(f"[{_INVISIBLE}{_JOINING}]")
_SPACE_RUN = re.compile(f"[{_SPACES}]+")
_OTHERS = re.compile(r"\.+")
_LINE_ENDS = re.compile("\r\n?")
# The punctuation of a keyboard, and what word processors and telephones write instead.
_TYPOGRAPHIC = {
    "'": "\xb4\u02b9\u02bb\u02bc\u05f3\u2018\u2019\u201a\u201b\u2032\uff07",
    '"': "\xab\xbb\u05f4\u201c\u201d\u201e\u201f\u301d\u301e\u301f\uff02",
    "-": "\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d",
    "/": "\u2044\u2215\uff0f",
}
_KEYBOARD = {char: typed for typed, chars in _TYPOGRAPHIC.items() for char in chars}
_TYPED = str.maketrans(_KEYBOARD)
# Python folds the dotted capital I to two characters, and does not fold the dotless small i. In a search, all are equal
# to i.
_FOLDED = str.maketrans({**_KEYBOARD, **dict.fromkeys("\u0130I\u0131", "i")})
# The letters that people type instead of æ, œ, þ, ð and ŋ. Their Unicode names contain no plain letter. The source is
# CLDR's transform Latin-ASCII.
_TYPED_AS = {"\xe6": "ae", "\u0153": "oe", "\xfe": "th", "\xf0": "d", "\u014b": "n"}


def string(value: object) -> str:
    """Return a JSON string."""
    if not isinstance(value, str):
        raise RuleViolation("must be a string")
    return value


def line(value: object, *, most: int, least: int = 1) -> str:
    """Return one line of text in NFC, of `least` to `most` code points. If it is not empty, it must contain a visible
    character.

    Control characters, line ends and bidirectional overrides are refused.
    """
    text = _bounded(string(value), least, most)
    if not _is_plain(text) and _REFUSED.search(text):
        raise RuleViolation("must not contain control characters, line ends or bidirectional overrides")
    return visible(text) if text else text


def lines(value: object, *, most: int) -> str:
    """Return a text of any number of lines, in NFC, of at most `most` code points. It may be empty.

    Every line end is LF: CR LF and CR become LF. Tabs are allowed too.
    """
    text = string(value)
    if "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    text = _bounded(text, 0, most)
    if not _is_plain(text) and _REFUSED_IN_LINES.search(text):
        raise RuleViolation("must not contain control characters or bidirectional overrides")
    return text


def label(value: object, *, most: int) -> str:
    """Return a label: a tag, or one level of a folder path. It has 1 to `most` code points.

    It is trimmed and in NFC, and every space in it is U+0020. Invisible characters are refused, so that two labels that
    look alike are equal. Joiners and variation selectors are allowed, because some scripts and emoji need them.
    """
    text = string(value)
    if _is_plain(text):
        return _bounded(text.strip(), 1, most)
    if len(text) > _SHRINKS_BY * most:
        raise RuleViolation(f"must have 1 to {most} characters")
    text = _SPACE_SEPARATOR.sub(" ", _bounded(text.strip(_SPACES), 1, most))
    return visible(seen(text))


def nearest_label(text: str, *, most: int) -> str:
    """Return the valid label that is nearest to a label from an earlier version, of at most `most` code points.

    Line separators become spaces. Other characters that `label` refuses are removed, and so are the combining marks
    that follow `MARKS_MAX` others in a row. If no visible character is left, the result is `NAMELESS`.
    """
    kept = _stream_safe(_FLAG_OR_REFUSED.sub(r"\1", re.sub("[\u2028\u2029]", " ", text)))
    try:
        return label(kept, most=most)
    except RuleViolation:
        return NAMELESS


def seen(text: str) -> str:
    """Return the text if it has no control characters, and no invisible ones except joiners, selectors and flags."""
    if _REFUSED_IN_LABELS.search(_FLAG.sub("", text) if "\U0001f3f4" in text else text):
        raise RuleViolation("must not contain control characters or invisible characters")
    return text


def fold(text: str) -> str:
    """Return the text in the form in which searches compare it.

    Differences of letter case, width and compatibility disappear (NFKC case folding, Unicode 3.13). Invisible
    characters disappear too, and so do diacritics on Latin, Greek and Cyrillic letters, strokes and hooks included: ł
    becomes l. The dotted and the dotless I of Turkish are equal, and so are the forms of apostrophes, quotation marks,
    hyphens and slashes. Every run of white space is one space. The end of a text of long ligatures is left out
    (`FOLD_GROWTH_MAX`).

    Python folds, not the database, because no database folds as Python does, and all adapters must return the same
    matches.
    """
    if text.isascii():
        return _SPACE_RUN.sub(" ", text.lower())
    # This comes before marks are counted, because a removed character may have separated two marks.
    # An acute accent that stands alone must be an apostrophe before NFKC makes it a mark on a space.
    text = _stream_safe(_IGNORED_IN_SEARCH.sub("", text).replace("\xb4", "'"))
    characters_max = max(FOLD_CHARACTERS_MIN, FOLD_GROWTH_MAX * len(text))
    text = unicodedata.normalize("NFKC", text)[:characters_max].translate(_FOLDED).casefold()
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    return _SPACE_RUN.sub(" ", unicodedata.normalize("NFC", _without_diacritics(decomposed)))


def as_typed(text: str) -> str:
    """Return the text with the apostrophes, quotation marks, hyphens and slashes of a keyboard."""
    return text if text.isascii() else text.translate(_TYPED)


def _is_plain(text: str) -> bool:
    """Return whether the text is printable ASCII, as most texts are. Such a text is in NFC and contains no refused
    character."""
    return text.isascii() and text.isprintable()


def _bounded(text: str, least: int, most: int) -> str:
    """Return the text in NFC. Its length is checked before and after, because normalising a long text takes long."""
    if not text.isascii() and len(text) <= _SHRINKS_BY * most:
        if _longest_run_of_marks(text) > MARKS_MAX:
            raise RuleViolation(f"must not have more than {MARKS_MAX} combining marks in a row")
        text = unicodedata.normalize("NFC", text)
    if not least <= len(text) <= most:
        raise RuleViolation(f"must have {least} to {most} characters")
    return text


def visible(text: str) -> str:
    """Return the text if it contains more than white space and invisible characters."""
    if _UNSEEN.fullmatch(text):
        raise RuleViolation("must not be blank")
    return text


def _longest_run_of_marks(text: str) -> int:
    return max(map(len, "".join(map(_marks_in, text)).split(_NO_MARK)))


def _stream_safe(text: str) -> str:
    """Return the text without the combining marks that follow `MARKS_MAX` others. A text that `_bounded` has checked
    has none."""
    if _longest_run_of_marks(text) <= MARKS_MAX:
        return text
    kept, run = [], 0
    for char in text:
        before, is_interrupted, last = _marks_in(char).rpartition(_NO_MARK)
        run = len(last) if is_interrupted else run + len(before + last)
        if run <= MARKS_MAX:
            kept.append(char)
    return "".join(kept)


_MARK, _NO_MARK = "m", "."


@lru_cache(maxsize=4096)
def _marks_in(char: str) -> str:
    """Return what a character decomposes into: `_MARK` for a combining mark, `_NO_MARK` for one or more others.

    A character that is no mark itself may decompose into several marks: U+0F73 decomposes into two that have to change
    places. Others decompose into many characters without marks: U+FDFA into 18.
    """
    parts = unicodedata.normalize("NFKD", char)
    return _OTHERS.sub(_NO_MARK, "".join(_MARK if unicodedata.combining(part) else _NO_MARK for part in parts))


def _without_diacritics(decomposed: str) -> str:
    # Most texts of other scripts end here. The text has up to 18 times as many characters as a client sent.
    if not any(map(_has_diacritics, set(decomposed))):
        return decomposed
    kept: list[str] = []
    is_alphabetic = False
    for char in decomposed:
        if unicodedata.combining(char):
            if not is_alphabetic:
                kept.append(char)
        else:
            is_alphabetic = _has_diacritics(char)
            kept.append(_bare(char) if is_alphabetic else char)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _has_diacritics(letter: str) -> bool:
    """Return whether the letter is of a script whose readers search without diacritics."""
    return unicodedata.name(letter, "").startswith(("LATIN", "GREEK", "CYRILLIC"))


@lru_cache(maxsize=4096)
def _bare(letter: str) -> str:
    """Return the folded letter without its stroke, hook or descender.

    Unicode does not decompose such letters, but their names contain the name of the plain letter (LATIN SMALL LETTER O
    WITH STROKE), and a name never changes. For every letter of a current alphabet, CLDR's transform Latin-ASCII has the
    same result.
    """
    below, _, diacritic = unicodedata.name(letter, "").partition(" WITH ")
    if diacritic:
        with suppress(KeyError):  # The name of U+1D7A is TH WITH STRIKETHROUGH, and no letter has the name TH.
            return fold(unicodedata.lookup(below))
    return _TYPED_AS.get(letter, letter)
