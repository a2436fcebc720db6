"""The plans of a call, including those of statements inside SQL functions, as auto_explain reports them."""

import re
from collections.abc import Sequence
from typing import Any

from adapters.postgres.database import Database, Row
from bench.postgres import Postgres

BEFORE = 6
"""The number of times the session runs the statement before it is explained. After five runs, Postgres may use a
generic plan."""

_TOLD = "NOTICE:  duration: "
_TABLES = re.compile(r" on (?:documents|folders|objects|entity_links|events|receipts|usage)\b")
_COSTS = re.compile(r"cost=\S+ (rows=\d+) width=\d+")
_UUID = re.compile(r"([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ARGUMENT = re.compile(r"\$(\d+)")
_QUERY_WIDTH, _WIDTH = 240, 160


class CapturedStatement(Exception):
    """A statement that a call sends to the database, raised by `CapturingDatabase`."""

    def __init__(self, sql: str, arguments: Sequence[object]) -> None:
        super().__init__(sql)
        self.sql = sql
        self.arguments = arguments


class CapturingDatabase(Database):
    """A database that executes nothing: it raises every statement as `CapturedStatement`."""

    def __init__(self) -> None:
        super().__init__(None)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        raise CapturedStatement(sql, arguments)


async def explain(postgres: Postgres, database: str, asked: CapturedStatement) -> list[str]:
    """Return each part of a statement with its plan, without costs, and roll the statement back."""
    statement = _ARGUMENT.sub(lambda found: _literal(asked.arguments[int(found[1]) - 1]), asked.sql)
    reported = await postgres.plans(database, statement, BEFORE)
    parts = [_shown(text) for text in reported.split(_TOLD)[1:] if _TABLES.search(text)]
    # A function that runs once per row reports its plan once per row.
    return list({shape(part): part for part in reversed(parts)}.values())[::-1]


def shape(part: str) -> str:
    """Return the text of a part without its values, so that two parts that differ only in values are equal."""
    return re.sub(r"'[^']*'|[0-9.]+|never executed", "", part)


def _shown(text: str) -> str:
    lines = text.partition("plan:\n")[2].split("\nNOTICE:")[0].rstrip().splitlines()
    first = next(number for number, line in enumerate(lines) if _COSTS.search(line))
    query = " ".join(line for line in lines[:first] if not line.startswith("Query Parameters:"))
    plan = [line for line in lines[first:] if "Index Searches:" not in line]
    query = " ".join(query.removeprefix("Query Text:").split())
    return "\n".join([_short(query, _QUERY_WIDTH), *(_short(line, _WIDTH) for line in plan)])


def _short(line: str, width: int) -> str:
    line = _UUID.sub(r"\1…", _COSTS.sub(r"\1", line))
    return line if len(line) <= width else line[:width] + "…"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        value = "{" + ",".join(map(str, value)) + "}"
    return "'" + str(value).replace("'", "''") + "'"
