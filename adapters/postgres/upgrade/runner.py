"""Runs the steps of a migration beside servers that answer requests.

Each step is recorded in the table `migration_steps`, in the same transaction where the step has one. So a killed
migration continues with the step that was not recorded.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from copy import deepcopy
from pathlib import Path

import asyncpg

from adapters.postgres.upgrade.forms import Statement, Unsafe, Way, created_tables, statements
from adapters.postgres.upgrade.session import HARMLESS_MILLISECONDS, Session, say
from adapters.postgres.upgrade.steps import BATCH_SECONDS, Batches, Connection, Progress, Step, Together

POSTGRES = Path(__file__).parent.parent

connection_of_process: ContextVar[Connection] = ContextVar("connection_of_process")
"""The connection that holds the lock of `migrate`, for the migrations that Piccolo calls."""

Unit = Sequence[Statement] | Batches
"""What is recorded as one step. Its statements are executed in one transaction."""

_PAUSE_SECONDS = 0.02

_CREATE_STEPS = """
CREATE TABLE IF NOT EXISTS migration_steps (
    migration text NOT NULL,
    step text NOT NULL,
    progress jsonb,
    finished_at timestamptz,
    PRIMARY KEY (migration, step)
)
"""
_RECORD = """
INSERT INTO migration_steps (migration, step, progress, finished_at)
VALUES ($1, $2, $3, CASE WHEN $4 THEN now() END)
ON CONFLICT (migration, step) DO UPDATE SET progress = excluded.progress, finished_at = excluded.finished_at
"""
_CHECKED_NOT_NULL = """
SELECT EXISTS (
    SELECT FROM pg_constraint
    WHERE conrelid = $1::text::regclass AND contype = 'c' AND convalidated
        AND pg_get_expr(conbin, conrelid) = format('(%I IS NOT NULL)', $2::text)
)
"""
_FILLED_TABLES = """
SELECT oid::regclass::text AS name FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0
"""
_IS_INDEX_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"


class Runner:
    """Runs the steps of one migration on a connection that no transaction is open on."""

    def __init__(self, connection: Connection, migration: str) -> None:
        self._connection = connection
        self._migration = migration
        self.session = Session(connection, migration)

    async def has_begun(self) -> bool:
        """Return whether a step of this migration was recorded."""
        await self._connection.execute(_CREATE_STEPS)
        read = "SELECT EXISTS (SELECT FROM migration_steps WHERE migration = $1)"
        found: bool = await self._connection.fetchval(read, self._migration)
        return found

    async def run(self, steps: Sequence[Step]) -> None:
        """Run the steps that were not recorded as finished yet, in their order.

        Raises:
            Unsafe: a statement could stop requests.
        """
        units: list[Unit] = []
        sql: list[Statement] = []
        new_tables: list[str] = []
        for step in steps:
            if isinstance(step, Batches):
                units += [*grouped(sql), step]
                sql = []
            else:
                text = (POSTGRES / (step.file if isinstance(step, Together) else step)).read_text()
                if isinstance(step, Together):
                    units += [*grouped(sql), statements(text, new_tables, is_swap=True)]
                    sql = []
                else:
                    sql += statements(text, new_tables)
                new_tables += created_tables(text)
        await self.run_units([*units, *grouped(sql)])

    async def run_units(self, units: Iterable[Unit]) -> None:
        """Run statements, those of one sequence in one transaction, and batches. Skip those that are finished."""
        await self._connection.execute(_CREATE_STEPS)
        read = "SELECT step FROM migration_steps WHERE migration = $1 AND finished_at IS NOT NULL"
        finished = {row["step"] for row in await self._connection.fetch(read, self._migration)}
        is_analysed = False
        for unit in units:
            name = unit.name if isinstance(unit, Batches) else _name(unit)
            if name in finished:
                continue
            if isinstance(unit, Batches):
                if not is_analysed:
                    await self._analyse()
                    is_analysed = True
                await self._run_batches(unit)
            else:
                await self._run_statements(unit, name)

    async def run_separately(self, name: str, call: Callable[[], Awaitable[str | None]]) -> None:
        """Call what makes its own transactions, unless it is finished. It returns a report."""
        read = "SELECT EXISTS (SELECT FROM migration_steps WHERE migration = $1 AND step = $2)"
        if await self._connection.fetchval(read, self._migration, name):
            return
        report = await call()
        await self._finish(name)
        if report:
            say(f"{self._migration} {report}")

    async def _finish(self, name: str) -> None:
        await self._connection.execute(_RECORD, self._migration, name, None, True)

    async def _run_statements(self, unit: Sequence[Statement], name: str) -> None:
        statement = unit[0]
        tables = tuple(dict.fromkeys(table for each in unit for table in each.tables))

        async def execute() -> None:
            for each in unit:
                await self._connection.execute(each.text)
            await self._finish(name)

        match statement.way:
            case Way.INDEX:
                await self._build_index(statement)
                await self._finish(name)
            case Way.DROP_INDEX:
                await self._drop_index(str(statement.index))
                await self._finish(name)
            case Way.LONG if len(unit) == 1:
                await self.session.briefly(execute, waits=HARMLESS_MILLISECONDS)
            case _:
                for each in unit:
                    if each.not_null is not None:
                        await self._require_check(each)
                await self.session.briefly(execute, tables)

    async def _require_check(self, statement: Statement) -> None:
        table, column = statement.tables[0], statement.not_null
        if not await self._connection.fetchval(_CHECKED_NOT_NULL, table, column):
            raise Unsafe(
                f"this statement reads the whole table under its lock: first write ALTER TABLE {table} "
                f"ADD CONSTRAINT {table}_{column}_set CHECK ({column} IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT "
                f"{table}_{column}_set, and drop that constraint afterwards:\n{statement.text}"
            )

    async def _build_index(self, statement: Statement) -> None:
        """Build an index, unless a valid one exists. A build that was interrupted leaves an invalid index."""
        while (is_valid := await self._connection.fetchval(_IS_INDEX_VALID, statement.index)) is not True:
            if is_valid is False:
                await self._drop_index(str(statement.index))
            try:
                await self.session.unhurried(statement.text)
            except asyncpg.DeadlockDetectedError:
                await self.session.let_others_pass()

    async def _drop_index(self, index: str) -> None:
        await self.session.unhurried(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")

    async def _analyse(self) -> None:
        """Let the planner know how large the tables are. Without that, a batch of 500 rows took five seconds."""
        for row in await self._connection.fetch(_FILLED_TABLES):
            await self._connection.execute(f"ANALYZE {row['name']}")

    async def _run_batches(self, batches: Batches) -> None:
        read = "SELECT progress FROM migration_steps WHERE migration = $1 AND step = $2"
        saved = await self._connection.fetchval(read, self._migration, batches.name)
        progress = Progress(**json.loads(saved)) if saved else Progress()
        more = True

        async def write() -> tuple[bool, Progress]:
            after = deepcopy(progress)
            after.ends_at = time.monotonic() + BATCH_SECONDS
            more = await batches.write(self._connection, after)
            facts = json.dumps(after.facts())
            await self._connection.execute(_RECORD, self._migration, batches.name, facts, not more)
            return more, after

        while more:
            begun = time.monotonic()
            # A wait for a row delays no other transaction: those that need this row wait for it in any case.
            more, progress = await self.session.briefly(write, waits=HARMLESS_MILLISECONDS)
            # A row lock goes to the first transaction that asks after it was released. Without a pause, that would be
            # the next batch, and a server that waits could wait for many batches.
            await asyncio.sleep(max(_PAUSE_SECONDS, time.monotonic() - begun))
        if report := batches.report(progress):
            say(f"{self._migration} {report}")


def grouped(found: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    """Yield the statements one by one, but consecutive ones of `Way.NEW` together."""
    together: list[Statement] = []
    for statement in found:
        if statement.way is Way.NEW:
            together.append(statement)
            continue
        if together:
            yield together
            together = []
        yield [statement]
    if together:
        yield together


def _name(unit: Sequence[Statement]) -> str:
    """Return a name that differs as soon as a statement differs."""
    text = ";\n".join(statement.text for statement in unit)
    return f"{text.splitlines()[0][:80]} {hashlib.sha256(text.encode()).hexdigest()[:12]}"
