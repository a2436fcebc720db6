"""Writes that Postgres fails, at a moment that is known."""

from collections.abc import Sequence

from adapters.postgres.database import Database, Row


class Failing(Database):
    """A database whose next writes fail with codes of Postgres' own, before or after they are committed.

    `writes` are the statements that count as such; `fails` says what happens to the next of them.
    """

    def __init__(self, database: Database, *writes: str) -> None:
        super().__init__(database._pool)
        self._writes = writes
        self.fails: list[tuple[str, str]] = []

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        if sql not in self._writes or not self.fails:
            return await super().fetch(sql, *arguments)
        timestamp, code = self.fails.pop(0)
        if timestamp == "after the commit":
            await super().fetch(sql, *arguments)
        return await super().fetch(f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$")
