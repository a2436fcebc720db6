"""No transaction is open while a use case waits for the object store."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.memory.storage import MemoryStorage
from adapters.postgres.database import Database
from tests.clock import StillClock
from tests.contracts.repositories import postgres_records
from tests.domain.world import members


class BlackHole:
    """A store that never answers calls of one method."""

    def __init__(self, storage: MemoryStorage, method: str) -> None:
        self._storage, self._method = storage, method
        self.asked = asyncio.Event()

    def __getattr__(self, method: str) -> Any:
        return self._hang if method == self._method else getattr(self._storage, method)

    async def _hang(self, *_: object, **__: object) -> None:
        self.asked.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("method", ["stat", "sign_download", "write_mark", "delete", "discard_unfinished"])
async def test_no_transaction_is_open_while_the_store_does_not_answer(database: Database, method: str) -> None:
    clock = StillClock(datetime.now(UTC) + timedelta(days=2))
    records = postgres_records(database, clock)
    home = await records.workspace()
    storage = MemoryStorage("http://files.test")
    document = await records.recorded(home)
    storage.swap(document.storage_path, b"kept")
    storage.swap(records.document(home, path="documents/abandoned").storage_path, b"orphan")
    await records.deployments.renew()
    await records.use_cases(storage).claim_store()

    caller = records.intent(home).caller
    hole: Any = BlackHole(storage, method)
    use_cases = records.use_cases(hole)
    task: asyncio.Task[object]
    match method:
        case "stat":
            task = asyncio.create_task(use_cases.create_document(caller, members(document.storage_path), None))
        case "sign_download":
            task = asyncio.create_task(use_cases.get_document(caller, document.id, download=True))
        case _:
            task = asyncio.create_task(use_cases.sweep(yes=True))
    await hole.asked.wait()
    try:
        rows = await database.fetch("SELECT state FROM pg_stat_activity WHERE datname = current_database()")
        states = [row["state"] for row in rows]
        assert "active" in states  # this query itself
        assert not [state for state in states if "transaction" in state]
    finally:
        task.cancel()
        await asyncio.wait([task])
