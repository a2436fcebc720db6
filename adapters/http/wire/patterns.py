r"""The patterns of text members. Each states the part of a rule that a regular expression can express.

- They are in the notation that ECMA 262, RE2 (Go), Java, Rust and Python have in common: no lookaround, no
  backreference, no `\uHHHH` and no `\p{…}`. The limit of RE2 on nested repetitions, 1,000, forbids lengths of levels.
- A pattern never refuses what the rule in `domain` accepts. But it may accept what the rule refuses, such as invisible
  characters and bidirectional overrides. To exclude these, a pattern would have to contain them literally, and rustc
  refuses source code that does.
"""

from typing import Final

from domain.paths import FOLDER_LEVELS_MAX

ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

_CONTROL = r"\x00-\x1f\x7f-\x9f"
# White space at the edges is trimmed, so control characters that are white space are permitted there.
_UNTRIMMED = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
# Control characters and the blanks of Latin-1: space, no-break space and soft hyphen.
_UNSEEN = r"\x00-\x20\x7f-\xa0\xad"

LINE: Final = f"^[^{_CONTROL}]*$"
"""One line, which may be empty."""

NOT_BLANK: Final = f"^[^{_CONTROL}]*[^{_UNSEEN}][^{_CONTROL}]*$"
"""One line with a visible character."""

LINES: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""Lines with tabs, which may be empty."""

LABEL: Final = f"^[^{_UNTRIMMED}]*[^{_UNSEEN}][^{_UNTRIMMED}]*$"
"""A tag, before it is trimmed."""

# A level that is neither blank nor `.` nor `..` after trimming: it has a visible character other than a dot, or another
# character between two dots.
_LEVEL = rf"[^/{_UNTRIMMED}]*(?:[^./{_UNSEEN}]|\.[^/{_UNTRIMMED}]+\.)[^/{_UNTRIMMED}]*"
_LEVELS = f"{_LEVEL}(?:/{_LEVEL}){{0,{FOLDER_LEVELS_MAX - 1}}}/?"
FOLDER: Final = f"^/(?:{_LEVELS})?$"
SUBFOLDER: Final = f"^/{_LEVELS}$"

# RE2 has no escape for U+FFFD that ECMA 262 has too, so the character itself is in the pattern. An id is not trimmed:
# it has a visible character other than a dot, a dot beside a space, or three dots.
ENTITY_ID: Final = (
    f"^[^{_CONTROL}\ufffd]*" rf"(?:[^\x00-\x20.\x7f-\x9f" "\ufffd" r"]|\. | \.|\.{3})" f"[^{_CONTROL}\ufffd]*$"
)

# A segment neither begins nor ends with a space, and is neither `.` nor `..`.
_KEY = r"A-Za-z0-9!\-_*'()&$@=;:+,"
_SEGMENT = rf"(?:\.?[{_KEY}](?:[{_KEY}. ]*[{_KEY}.])?|\.[. ][{_KEY}. ]*[{_KEY}.])"
STORAGE_PATH: Final = f"^workspaces/ws_{ULID}(?:/{_SEGMENT})+$"

_TIME = r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
TIME_OR_DATE: Final = f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?$"
"""A time with an offset (RFC 3339), or a date."""

_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
UUID: Final = f'^(?:{_UUID}|"{_UUID}")$'
"""A UUID, bare or in double quotes."""

_ENTITY_TAG = r'(?:W/)?"[!#-~]*"'
ENTITY_TAGS: Final = rf"^(?:\*|{_ENTITY_TAG}(?:[ \t]*,[ \t]*{_ENTITY_TAG})*)$"
"""The value of If-Match and If-None-Match: a list of entity tags, or `*`."""

REQUEST_ID: Final = "^[A-Za-z0-9._-]{1,128}$"
API_KEY: Final = "^wbk_[0-9A-Za-z]{38}$"
API_KEY_PREFIX: Final = "^wbk_[0-9A-Za-z]{4}$"
