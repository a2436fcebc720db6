"""The deployment of a database in Postgres, and the advisory lock of the deployment, which one process can hold."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database, Row
from ports.deployment import Deployment

# The number must differ from those of all other advisory locks of this database. It is the text "sweeping" in ASCII.
_LOCK = 0x7377656570696E67


class PostgresDeployments:
    """`Deployments` in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.READ_DEPLOYMENT))

    async def claim(self, at: datetime) -> None:
        await self._database.fetch(statements.CLAIM, at)

    async def set_generation(self, generation: str, next_generation: str | None) -> None:
        await self._database.fetch(statements.SET_GENERATION, generation, next_generation)

    async def record_sweep(self, at: datetime) -> None:
        await self._database.fetch(statements.RECORD_SWEEP, at)

    async def renew(self) -> Deployment:
        return _to_deployment(await self._database.fetch_one(statements.RENEW_DEPLOYMENT))

    def exclusive(self) -> AbstractAsyncContextManager[bool]:
        return self._database.try_advisory_lock(_LOCK)


def _to_deployment(row: Row) -> Deployment:
    return Deployment(
        id=str(row["id"]),
        claimed_at=row["claimed_at"],
        generation=row["generation"],
        next_generation=row["next_generation"],
        swept_at=row["swept_at"],
    )
