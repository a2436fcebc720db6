"""No transaction is open while a use case waits for the object store."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.memory.storage import MemoryStorage
from adapters.postgres.database import Database
from domain.use_cases.claim_store import ClaimStore
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.get_document import GetDocument
from domain.use_cases.sweep import Sweep
from tests.clock import StillClock
from tests.contracts.repositories import postgres_records


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
    ledger, deployments = records.ledger, records.deployments
    await ClaimStore(
        workspaces=records.workspaces, ledger=ledger, deployments=deployments, storage=storage, now=clock
    )()

    caller = records.intent(home).caller
    hole: Any = BlackHole(storage, method)
    act: Awaitable[object]
    match method:
        case "stat":
            create = CreateDocument(documents=records.documents, storage=hole, now=clock, new_id=records.new_id)
            act = create(caller, {"name": "a", "mime_type": "a/b", "storage_path": document.storage_path}, None)
        case "sign_download":
            act = GetDocument(documents=records.documents, storage=hole, now=clock)(caller, document.id, download=True)
        case _:
            sweep = Sweep(
                workspaces=records.workspaces,
                ledger=records.ledger,
                storage=hole,
                deployments=records.deployments,
                now=clock,
                new_token=lambda: "generation",
            )
            act = sweep(yes=True)
    task = asyncio.ensure_future(act)
    await hole.asked.wait()
    try:
        rows = await database.fetch("SELECT state FROM pg_stat_activity WHERE datname = current_database()")
        states = [row["state"] for row in rows]
        assert "active" in states  # this query itself
        assert not [state for state in states if "transaction" in state]
    finally:
        task.cancel()
        await asyncio.wait([task])
