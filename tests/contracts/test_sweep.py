"""The sweeper on pairs of repository and store: it deletes only orphans, and no race loses a recorded object."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from itertools import combinations_with_replacement, cycle
from pathlib import Path
from typing import Any

import pytest

from adapters.in_process.system import utc_now
from adapters.postgres.database import Database
from domain.access import Workspace
from domain.documents import Document, StoredObject
from domain.errors import Refusal
from domain.paths import StoragePath
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.sweep import Sweep
from ports.ledger import PathState
from ports.storage import DownloadTerms, Unreadable
from tests.clock import StillClock
from tests.contracts.harness import STORES, SWEPT
from tests.contracts.records import Records
from tests.contracts.repositories import memory_records, postgres_records
from tests.contracts.stores import STORED, Store
from tests.crash.scale import SOAK

RACES = 2500 if SOAK else 12
"""The number of races. Each has four creates, so the long run has 10,000 creates on every pair."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """A deployment with a database and a store of its own, because a sweep looks at every workspace."""

    records: Records
    store: Store
    home: Workspace
    create_document: CreateDocument
    sweep: Sweep

    async def upload(self, name: str) -> StoragePath:
        assert await self.store.put(await self.store.sign_upload(name), name.encode()) == STORED
        return self.store.path(name)

    async def create(self, path: StoragePath, create: CreateDocument | None = None) -> Document:
        members = {"name": "a", "mime_type": "text/plain", "storage_path": path}
        caller = self.records.intent(self.home).caller
        return (await (create or self.create_document)(caller, members, None)).document

    async def look(self, path: StoragePath) -> tuple[StoredObject | Unreadable | None, PathState | None]:
        """Return the object at a path, and the state of the path."""
        (state,) = await self.records.states(self.home, path)
        return await self.store.storage.stat(path), state

    def sweep_with(self, hook: "Hook") -> Sweep:
        """Return the sweep with a hook around every call of a port."""
        ledger, storage = Hooked(self.sweep.ledger, hook), Hooked(self.sweep.storage, hook)
        return replace(self.sweep, ledger=ledger, storage=storage)


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, AbstractAsyncContextManager[Store]]:
    """Return the repository's name and the opening store of the parameter."""
    repository, store = request.param
    return repository, STORES[store](request.getfixturevalue, tmp_path)


@pytest.fixture
async def deployment(
    pair: tuple[str, AbstractAsyncContextManager[Store]], own_database: Database
) -> AsyncIterator[Swept]:
    """Open a deployment that has claimed its store. Its clock is a day ahead, so that every orphan is old enough."""
    repository, opening = pair
    clock = StillClock(datetime.now(UTC) + timedelta(hours=25))
    records = memory_records(clock) if repository == "memory" else postgres_records(own_database, clock)
    home = await records.workspace(quota_bytes=10**9)
    async with opening as store:
        store.use_workspace(home.id)
        use_cases = records.use_cases(store.storage)
        await replace(use_cases.claim_store, now=utc_now)()
        yield Swept(
            records=records,
            store=store,
            home=home,
            create_document=use_cases.create_document,
            sweep=use_cases.sweep,
        )


on_every_adapter = pytest.mark.parametrize("pair", SWEPT, indirect=True, ids=" and ".join)

Hook = Callable[[str, str], Awaitable[None]]
"""Called with "before" or "after", and the name of a method."""


class Hooked:
    """A port that calls a hook before and after each awaited method."""

    def __init__(self, port: object, hook: Hook) -> None:
        self._port, self._hook = port, hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not iscoroutinefunction(method):
            return method

        async def hooked(*arguments: object, **named: object) -> object:
            await self._hook("before", name)
            result = await method(*arguments, **named)
            await self._hook("after", name)
            return result

        return hooked


@on_every_adapter
async def test_one_sweep_deletes_orphans_and_unfinished_uploads_and_nothing_else(deployment: Swept) -> None:
    recorded = await deployment.upload("documents/recorded")
    document = await deployment.create(recorded)
    orphans = [await deployment.upload(f"documents/{number}/orphan") for number in range(3)]
    await deployment.store.leave_unfinished(deployment.store.path("documents/unfinished"))

    report = await deployment.sweep(yes=True)
    assert (report.objects, report.unrecorded, report.deleted, report.unfinished) == (4, 3, 3, 1)
    assert [await deployment.look(path) for path in orphans] == [(None, PathState.CONDEMNED)] * 3
    assert await deployment.look(recorded) == (document.stored, PathState.RECORDED)
    assert await deployment.store.count_leftovers() == 0


@pytest.mark.parametrize("pair", [SWEPT[-1]], indirect=True, ids=" and ".join)
async def test_versions_beside_the_recorded_one_are_deleted(deployment: Swept) -> None:
    store = deployment.store
    recorded, newest, deleted, copied = [
        await deployment.upload(f"documents/{name}") for name in ("recorded", "newest", "deleted", "copied")
    ]
    await store.replace(newest, b"older")
    await store.replace(newest, b"newest")
    documents = [await deployment.create(path) for path in (recorded, newest, deleted, copied)]
    for path, content in ((recorded, b"1"), (recorded, b"2"), (deleted, None)):
        await store.replace(path, content)
    await store.restore_copy(copied)
    await store.replace(copied, b"another version than that of the copy may be wanted")

    before = await deployment.sweep(dry_run=True)
    assert before == await deployment.sweep(dry_run=True)
    swept = await deployment.sweep()
    assert (before.other_versions, swept.other_versions, swept.held) == (4, 4, 0)
    assert (await deployment.sweep()).other_versions == 0
    for document in documents[:2]:
        assert await store.storage.stat(document.storage_path) == document.stored
    assert await store.storage.stat(deleted) is None
    terms = DownloadTerms(path=deleted, stored=documents[2].stored, mime_type="a/b", disposition="attachment")
    assert (await store.get(await store.sign_download(terms))).content == b"documents/deleted"
    assert {key async for page in store.storage.list_replaced(store.prefix) for key in page} == {deleted, copied}


@pytest.mark.timeout(1800)
@on_every_adapter
async def test_no_race_of_sweeps_and_creates_leaves_a_record_without_its_object(deployment: Swept) -> None:
    """In each race, four creates look at their objects at some steps of a sweep, and write their records at later
    ones, some of them after it."""
    steps = [asyncio.Event() for _ in range(20)]
    moments = cycle(random.Random(1).sample([*combinations_with_replacement(steps, 2)], 210))

    async def step(*_: str) -> None:
        next((event for event in steps if not event.is_set()), steps[-1]).set()
        await asyncio.sleep(0)

    async def create(path: StoragePath, looks: asyncio.Event, writes: asyncio.Event) -> Document | None:
        async def wait(when: str, method: str) -> None:
            if (when, method) == ("before", "create"):
                await writes.wait()

        documents = Hooked(deployment.records.documents, wait)
        await looks.wait()
        try:
            return await deployment.create(path, replace(deployment.create_document, documents=documents))
        except Refusal:
            return None

    sweep = deployment.sweep_with(step)
    was_refused = set()
    for race in range(RACES):
        paths = [await deployment.upload(f"documents/{race}/{number}") for number in range(4)]
        for event in steps:
            event.clear()
        creates = asyncio.gather(*(create(path, *next(moments)) for path in paths))
        await sweep(yes=True)
        for event in steps:
            event.set()
        for path, document in zip(paths, await creates, strict=True):
            if document is None:
                assert await deployment.look(path) == (None, PathState.CONDEMNED)
            else:
                assert await deployment.look(path) == (document.stored, PathState.RECORDED)
                # Remove the object, so that the sweeps of later races do not take longer.
                await deployment.store.replace(path, None)
            was_refused.add(document is None)
    assert was_refused == {True, False}
