"""The plans of a call, as Postgres tells them while it carries the call out: those inside its functions too."""

import re
from collections.abc import Sequence
from typing import Any

from adapters.postgres.database import Database, Row
from bench.postgres import Postgres

BEFORE = 6
"""How often a session has carried it out before: from then on, a plan that is good for all values may be kept."""

_TOLD = "NOTICE:  duration: "
_TABLES = re.compile(r" on (?:documents|folders|objects|links|events|receipts|usage)\b")
_COSTS = re.compile(r"cost=\S+ (rows=\d+) width=\d+")
_UUID = re.compile(r"([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ARGUMENT = re.compile(r"\$(\d+)")
_QUERY_WIDTH, _WIDTH = 240, 160


class Asked(Exception):
    """What a call asks the database for."""

    def __init__(self, sql: str, arguments: Sequence[object]) -> None:
        super().__init__(sql)
        self.sql = sql
        self.arguments = arguments


class Unasked(Database):
    """A database that carries nothing out: whatever it is asked for, it raises."""

    def __init__(self) -> None:
        super().__init__(None)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        raise Asked(sql, arguments)


async def explain(postgres: Postgres, database: str, asked: Asked) -> list[str]:
    """What is done for a statement: each part, and its plan without costs, which mean little elsewhere.

    What it changes is undone.
    """
    statement = _ARGUMENT.sub(lambda found: _literal(asked.arguments[int(found[1]) - 1]), asked.sql)
    reported = await postgres.plans(database, statement, BEFORE)
    parts = [_shown(text) for text in reported.split(_TOLD)[1:] if _TABLES.search(text)]
    # A function that is called for each row tells its plan for each.
    return list({shape(part): part for part in reversed(parts)}.values())[::-1]


def shape(part: str) -> str:
    """What two parts have in common that do the same with other values."""
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
