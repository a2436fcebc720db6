"""The statements of a migration's SQL, and how each form of statement runs beside a working service.

Only forms that are known to be safe are accepted. An author who writes another form gets an error that names the
remedy, so a migration that stops requests cannot even run on the author's machine.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|(\$\w*\$).*?\1|[;(),]", re.DOTALL)

# Changes of a table of one row take no time, whatever they do.
_SMALL = {"deployment"}


class Way(Enum):
    """How a statement runs."""

    NEW = auto()
    """It creates what no server uses yet. Consecutive statements of this kind are one transaction."""
    BRIEF = auto()
    """It takes a lock that stops requests, for an instant. It waits for that lock only in short attempts."""
    LONG = auto()
    """It may take long, and its locks stop no request."""
    INDEX = auto()
    """It builds an index concurrently, outside of a transaction."""
    DROP_INDEX = auto()
    """It removes an index concurrently, outside of a transaction."""


class Unsafe(ValueError):
    """A statement that could stop requests or is not known to be safe. The text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of SQL, without comments around it."""

    text: str
    way: Way
    tables: Sequence[str] = ()
    """The existing tables that it locks."""
    index: str | None = None
    not_null: str | None = None
    """A column that becomes NOT NULL, which is instant only after a validated CHECK."""


_ADD_CHECK = "write ADD CONSTRAINT name … NOT VALID, and in a following statement VALIDATE CONSTRAINT name"
_BATCHES = "write a step `Batches` or `in_workspaces` in the migration's .py file"

_REFUSED_COLUMN = (
    (r"\bGENERATED\b|\b(?:small|big)?serial\b", f"rewrites the table: add the column without it, then {_BATCHES}"),
    (
        r"\b(?:CHECK|REFERENCES|UNIQUE|PRIMARY KEY)\b",
        f"reads the whole table: add the column without it, then {_ADD_CHECK}",
    ),
    (
        r"\bDEFAULT .*\b(?:gen_random_uuid|random|clock_timestamp|nextval|uuidv[47])\b",
        f"rewrites the table: add the column without the default, then {_BATCHES}",
    ),
    (r"^(?!.*\bDEFAULT\b).*\bNOT NULL\b", "fails if the table has a row: add a DEFAULT, or SET NOT NULL later"),
)

_SAFE_ACTIONS = (
    r"ADD CONSTRAINT \w+ .*NOT VALID$",
    r"ADD CONSTRAINT \w+ (?:PRIMARY KEY|UNIQUE) USING INDEX \w+$",
    r"ALTER (?:COLUMN )?\w+ (?:SET DEFAULT|DROP DEFAULT|DROP NOT NULL|SET STORAGE|SET STATISTICS|SET COMPRESSION) ?",
    r"DROP (?:COLUMN|CONSTRAINT) ",
    r"(?:SET|RESET) \(",
)

_REFUSED_ACTIONS = (
    (r"ADD CONSTRAINT|ADD (?:CHECK|FOREIGN|UNIQUE|PRIMARY)", f"reads the whole table under its lock: {_ADD_CHECK}"),
    (r"ALTER .*\bTYPE\b", f"rewrites the table: add a column of the new type, and {_BATCHES}"),
    (
        r"RENAME",
        "breaks servers of the former version: replace it in a step `Together`",
    ),
    (r"VALIDATE", "must be a statement of its own"),
)


def statements(sql: str, new_tables: Sequence[str] = (), *, is_swap: bool = False) -> Sequence[Statement]:
    """Return the statements of a file. `new_tables` were created by the same migration, so they are empty and unused.

    `is_swap`: they are one transaction, so they may rename, and none may run outside of a transaction or for long.

    Raises:
        Unsafe: a statement could stop requests.
    """
    known = [*new_tables, *created_tables(sql)]
    found = [_statement(text, known, is_swap=is_swap) for text in split(sql)]
    if is_swap:
        for statement in found:
            if statement.way not in (Way.NEW, Way.BRIEF):
                raise _unsafe(statement.text, "cannot be in one transaction with others: write it into another file")
    return found


def created_tables(sql: str) -> Sequence[str]:
    """Return the names of the tables that a file creates."""
    found = (re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", text) for text in split(sql))
    return [made[1] for made in found if made]


def split(sql: str) -> Iterator[str]:
    """Yield the text of each statement, without comments and without the semicolon."""
    yield from filter(None, (part.strip() for part in _parts(sql, ";")))


def _parts(sql: str, separator: str) -> Iterator[str]:
    """Yield the parts between separators that are in no parentheses, quotes or comments. Leave out the comments."""
    part, depth, end = "", 0, 0
    for token in _TOKEN.finditer(sql):
        part += sql[end : token.start()]
        end = token.end()
        text = token[0]
        depth += {"(": 1, ")": -1}.get(text, 0)
        if text == separator and depth == 0:
            yield part
            part = ""
        elif not text.startswith(("--", "/*")):
            part += text
    yield part + sql[end:]


def _statement(text: str, new_tables: Sequence[str], *, is_swap: bool) -> Statement:
    flat = re.sub(r"\s+", " ", text)
    if re.match(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|VIEW|SEQUENCE) ", flat):
        return Statement(text, Way.NEW)
    if re.match(r"CREATE TABLE ", flat):
        others = [table for table in re.findall(r"\bREFERENCES (\w+)", flat) if table not in new_tables]
        return Statement(text, Way.BRIEF, tuple(dict.fromkeys(others)))
    if made := re.match(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\w+) ON (?:ONLY )?(\w+)", flat):
        return Statement(text, Way.INDEX, (made[2],), made[1])
    if made := re.match(r"CREATE (?:UNIQUE )?INDEX (\w+) ON (?:ONLY )?(\w+)", flat):
        if made[2] in new_tables:
            return Statement(text, Way.NEW)
        raise _unsafe(text, "stops writes until it is done: write CREATE INDEX CONCURRENTLY name ON …")
    if dropped := re.match(r"DROP INDEX CONCURRENTLY (\w+)$", flat):
        return Statement(text, Way.DROP_INDEX, (), dropped[1])
    if made := re.match(r"CREATE (?:OR REPLACE )?TRIGGER .*? ON (\w+) ", flat):
        return Statement(text, Way.BRIEF, _existing(made[1], new_tables))
    if re.match(r"(?:DROP (?:FUNCTION|VIEW|TRIGGER|TABLE)|COMMENT ON|CREATE EXTENSION) ", flat):
        return Statement(text, Way.BRIEF)
    if is_swap and (renamed := re.match(r"ALTER (?:TABLE|INDEX|VIEW|FUNCTION) (\w+)(?:\(.*\))? RENAME ", flat)):
        return Statement(text, Way.BRIEF, (renamed[1],) if flat.startswith("ALTER TABLE") else ())
    if changed := re.match(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+) (.*)", flat):
        return _alter_table(text, changed[1], changed[2], new_tables)
    if changed := re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", flat):
        if changed[1] in (*new_tables, *_SMALL):
            return Statement(text, Way.BRIEF)
        raise _unsafe(text, f"locks every row that it changes until all are changed: {_BATCHES}")
    raise _unsafe(text, "is not known to be safe: write one of the forms in adapters/postgres/upgrade/forms.py")


def _alter_table(text: str, table: str, changes: str, new_tables: Sequence[str]) -> Statement:
    if table in (*new_tables, *_SMALL):
        return Statement(text, Way.BRIEF, _existing(table, new_tables))
    actions = [action.strip() for action in _parts(changes, ",")]
    if len(actions) == 1 and re.match(r"VALIDATE CONSTRAINT \w+$", actions[0]):
        return Statement(text, Way.LONG)
    if len(actions) == 1 and (column := re.match(r"ALTER (?:COLUMN )?(\w+) SET NOT NULL$", actions[0])):
        return Statement(text, Way.BRIEF, (table,), not_null=column[1])
    referenced = []
    for action in actions:
        if added := re.match(
            r"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY)\w+ (.*)", action
        ):
            for pattern, remedy in _REFUSED_COLUMN:
                if re.search(pattern, added[1], re.IGNORECASE):
                    raise _unsafe(text, f"{action!r} {remedy}")
        elif not any(re.match(pattern, action) for pattern in _SAFE_ACTIONS):
            remedies = (remedy for pattern, remedy in _REFUSED_ACTIONS if re.match(pattern, action))
            raise _unsafe(text, f"{action!r} {next(remedies, 'is not known to be safe in one statement with others')}")
        referenced += re.findall(r"\bREFERENCES (\w+)", action)
    return Statement(text, Way.BRIEF, tuple(dict.fromkeys((table, *referenced))))


def _existing(table: str, new_tables: Sequence[str]) -> Sequence[str]:
    return () if table in new_tables else (table,)


def _unsafe(text: str, why: str) -> Unsafe:
    return Unsafe(f"this statement of a migration {why}:\n{text}")
