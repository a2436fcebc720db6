"""The deployment that a database belongs to, and the advisory locks that its processes hold."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from ports.deployment import Deployment, Task

# Any numbers that no other advisory lock of this database uses: these are the letters "sweeping" and "renewing".
_LOCKS = {Task.SWEEP: 0x7377656570696E67, Task.ADVANCE_GENERATION: 0x72656E6577696E67}


class PostgresDeployments:
    """`Deployments` in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.READ_DEPLOYMENT))

    async def claim(self, at: datetime) -> None:
        await self._database.fetch(statements.CLAIM, at)

    async def announce_generation(self, next_generation: str) -> None:
        await self._database.fetch(statements.ANNOUNCE_GENERATION, next_generation)

    async def begin_generation(self, generation: str, changes: int) -> None:
        await self._database.fetch(statements.BEGIN_GENERATION, generation, changes)

    async def record_sweep(self, at: datetime) -> None:
        await self._database.fetch(statements.RECORD_SWEEP, at)

    async def renew(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.RENEW_DEPLOYMENT))

    def exclusive(self, task: Task) -> AbstractAsyncContextManager[bool]:
        return self._database.try_advisory_lock(_LOCKS[task])


def _to_deployment(row: Row) -> Deployment:
    return Deployment(
        id=str(row["id"]),
        claimed_at=row["claimed_at"],
        generation=row["generation"],
        next_generation=row["next_generation"],
        changes=row["changes"],
        changes_marked=row["changes_marked"],
        issued_since=row["issued_since"],
        swept_at=row["swept_at"],
    )
