"""The deployment of a database in Postgres, and the advisory locks of the deployment, which one process can hold."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from ports.deployment import Deployment, Task

# The numbers must differ from those of all other advisory locks of this database. They are the texts "sweeping" and
# "renewing" in ASCII.
_LOCKS = {Task.SWEEP: 0x7377656570696E67, Task.ADVANCE_GENERATION: 0x72656E6577696E67}


class PostgresDeployments:
    """`Deployments` in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.READ_DEPLOYMENT))

    async def claim(self, at: datetime) -> None:
        await self._database.fetch(statements.CLAIM, at)

    async def announce_generation(self, next_generation: str, *, after: str) -> bool:
        return bool(await self._database.fetch(statements.ANNOUNCE_GENERATION, next_generation, after))

    async def begin_generation(self, generation: str, changes: int) -> bool:
        return bool(await self._database.fetch(statements.BEGIN_GENERATION, generation, changes))

    async def begin_sweep(self, at: datetime) -> None:
        await self._database.fetch(statements.BEGIN_SWEEP, at)

    async def record_sweep(self, at: datetime) -> None:
        await self._database.fetch(statements.RECORD_SWEEP, at)

    async def renew(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.RENEW_DEPLOYMENT))

    async def record_secret(self, check: bytes, *, replace: bool = False) -> None:
        await self._database.fetch(statements.RECORD_CHECK, check, replace)

    def exclusive(self, task: Task) -> AbstractAsyncContextManager[bool]:
        return self._database.try_advisory_lock(_LOCKS[task])


def _to_deployment(row: Row) -> Deployment:
    return Deployment(
        id=str(row["id"]),
        claimed_at=row["claimed_at"],
        generation=row["generation"],
        next_generation=row["next_generation"],
        changes=row["changes"],
        is_settled=row["is_settled"],
        changes_marked=row["changes_marked"],
        issued_since=row["issued_since"],
        swept_at=row["swept_at"],
        sweep_began_at=row["sweep_began_at"],
        secret_check=row["secret_check"],
    )
