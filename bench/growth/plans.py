"""The plans of a call, as Postgres tells them while it carries the call out: those inside its functions too."""

import re
from collections.abc import Sequence
from typing import Any

from adapters.postgres.database import Database, Row
from bench.postgres import Postgres

_TOLD = "NOTICE:  duration: "
_TABLES = re.compile(r" on (?:documents|folders|objects|links|events|receipts|usage)\b")
_COSTS = re.compile(r"cost=\S+ (rows=\d+) width=\d+")
_ARGUMENT = re.compile(r"\$(\d+)")
_CALLED = re.compile(r"actual rows=[\d.]+ loops=\d+")
_LONGEST = 3000


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


async def explain(postgres: Postgres, database: str, asked: Asked) -> str:
    """The plans of a statement, each once, without costs, which mean little elsewhere. What it changes is undone."""
    statement = _ARGUMENT.sub(lambda found: _literal(asked.arguments[int(found[1]) - 1]), asked.sql)
    told = await postgres.plans(database, statement)
    plans: dict[str, str] = {}
    for text in told.split(_TOLD)[1:]:
        plan = text.partition("plan:\n")[2].split("\nNOTICE:")[0].removeprefix("Query Text: ").rstrip()
        if _TABLES.search(plan):
            shown = _COSTS.sub(r"\1", plan)[:_LONGEST]
            # A function that is called for each row tells its plan for each.
            plans.setdefault(_CALLED.sub("", shown), shown)
    return "\n\n".join(plans.values())


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        value = "{" + ",".join(map(str, value)) + "}"
    return "'" + str(value).replace("'", "''") + "'"
