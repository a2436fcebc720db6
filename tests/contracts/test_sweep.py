"""The sweeper on pairs of repository and store: what it deletes, and that no race loses a recorded object."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapters.in_process.system import new_secret
from adapters.postgres.database import Database, open_database
from adapters.postgres.migrate import migrate
from domain.access import Caller, Workspace
from domain.documents import Document
from domain.errors import Refusal
from domain.paths import StoragePath
from domain.use_cases.claim_store import ClaimStore
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.sweep import Sweep
from ports.ledger import PathState
from tests.clock import StillClock
from tests.contracts.harness import LONG, STORES, SWEPT
from tests.contracts.records import Records, memory_records, postgres_records
from tests.contracts.stores import STORED, Store

RACES = 2500 if LONG else 12
"""Each race has four creates: 10,000 on every pair in the long run."""

_numbers = count(1)


@pytest.fixture(scope="session")
async def template_url(database: Database, database_url: str) -> str:
    """Return the URL of a migrated database without connections: Postgres copies it within milliseconds."""
    await database.fetch("CREATE DATABASE sweep_template")
    url = database_url.replace("/postgres?", "/sweep_template?")
    await migrate(url)
    return url


@dataclass(frozen=True, kw_only=True)
class Swept:
    """A deployment with a database and a store of its own, because a sweep looks at every workspace."""

    records: Records
    store: Store
    home: Workspace
    caller: Caller
    create_document: CreateDocument
    sweep: Sweep

    async def upload(self, name: str) -> StoragePath:
        assert await self.store.put(await self.store.sign_upload(name), name.encode()) == STORED
        return self.store.path(name)

    async def create(self, path: StoragePath, create: CreateDocument | None = None) -> Document:
        members = {"name": "a", "mime_type": "text/plain", "storage_path": path}
        return (await (create or self.create_document)(self.caller, members, None)).document

    async def state(self, path: StoragePath) -> PathState | None:
        (state,) = await self.records.states(self.home, path)
        return state


async def open_swept(records: Records, store: Store) -> Swept:
    """Set up a deployment that has claimed its store."""
    new_id, now = records.new_id, records.clock
    home = await records.workspace(quota_bytes=10**9)
    store.use_workspace(home.id)
    await ClaimStore(deployments=records.deployments, storage=store.storage, now=lambda: datetime.now(UTC))()
    caller = records.intent(home).caller
    create = CreateDocument(documents=records.documents, storage=store.storage, now=now, new_id=new_id)
    sweep = Sweep(
        workspaces=records.workspaces,
        ledger=records.ledger,
        storage=store.storage,
        deployments=records.deployments,
        now=now,
        new_token=new_secret,
    )
    return Swept(records=records, store=store, home=home, caller=caller, create_document=create, sweep=sweep)


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, AbstractAsyncContextManager[Store]]:
    """The repository and the opening store that the test is parametrised with."""
    repository, store = request.param
    return repository, STORES[store](request.getfixturevalue, tmp_path)


@pytest.fixture
async def deployment(
    pair: tuple[str, AbstractAsyncContextManager[Store]], database: Database, template_url: str
) -> AsyncIterator[Swept]:
    """A deployment on each pair of adapters. Its clock is a day ahead, so that every orphan is old enough."""
    repository, opening = pair
    clock = StillClock(datetime.now(UTC) + timedelta(hours=25))
    async with opening as store:
        if repository == "memory":
            yield await open_swept(memory_records(clock), store)
            return
        name = f"sweep_{next(_numbers)}"
        await database.fetch(f"CREATE DATABASE {name} TEMPLATE sweep_template")
        async with open_database(template_url.replace("/sweep_template?", f"/{name}?")) as own:
            yield await open_swept(postgres_records(own, clock), store)
        await database.fetch(f"DROP DATABASE {name}")


on_every_adapter = pytest.mark.parametrize("pair", SWEPT, indirect=True, ids=" and ".join)

Hook = Callable[[str], Awaitable[None]]


async def _nothing(method: str) -> None:
    pass


class Hooked:
    """A port that calls a hook with the method's name before and after each awaited method."""

    def __init__(self, port: object, *, before: Hook = _nothing, after: Hook = _nothing) -> None:
        self._port, self._before, self._after = port, before, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not iscoroutinefunction(method):
            return method

        async def hooked(*arguments: object, **named: object) -> object:
            await self._before(name)
            result = await method(*arguments, **named)
            await self._after(name)
            return result

        return hooked


@on_every_adapter
async def test_one_sweep_deletes_orphans_and_unfinished_uploads_and_nothing_else(deployment: Swept) -> None:
    storage = deployment.store.storage
    recorded = await deployment.upload("documents/recorded")
    document = await deployment.create(recorded)
    orphans = [await deployment.upload(f"documents/{number}/orphan") for number in range(3)]
    await deployment.store.leave_unfinished(deployment.store.path("documents/unfinished"))

    report = await deployment.sweep(yes=True)
    assert (report.objects, report.unrecorded, report.deleted, report.unfinished) == (4, 3, 3, 1)
    assert [await storage.stat(path) for path in orphans] == [None] * 3
    assert await storage.stat(recorded) == document.stored
    assert await deployment.store.count_leftovers() == 0

    # Bytes that arrive at a gone path are deleted by the next sweep, however late they come.
    deployment.records.clock.advance(hours=2)
    await deployment.sweep.delete_condemned()
    assert await deployment.state(orphans[0]) is PathState.GONE
    await deployment.store.replace(orphans[0], b"late")
    report = await deployment.sweep()
    assert (report.late, report.deleted) == (1, 1)
    assert await storage.stat(orphans[0]) is None


MOMENTS = ("before the sweep", "listed", "condemned", "deleted")


@pytest.mark.parametrize(
    ("looks", "writes"), [(MOMENTS[i], MOMENTS[j]) for i in range(len(MOMENTS)) for j in range(i, len(MOMENTS))]
)
@pytest.mark.parametrize("pair", SWEPT[:2], indirect=True, ids=" and ".join)
async def test_a_create_at_any_moment_of_a_sweep_wins_or_loses_completely(
    deployment: Swept, looks: str, writes: str
) -> None:
    """The create looks at the object at the moment `looks` and writes its record at the moment `writes`."""
    path = await deployment.upload("documents/a")
    has_looked, may_write = asyncio.Event(), asyncio.Event()
    create: asyncio.Task[Document] | None = None

    async def before_writing(method: str) -> None:
        if method == "create":
            has_looked.set()
            await may_write.wait()

    slow = replace(deployment.create_document, documents=Hooked(deployment.records.documents, before=before_writing))

    async def reach(moment: str) -> None:
        nonlocal create
        if moment == looks:
            create = asyncio.create_task(deployment.create(path, slow))
            # Wait until the create has looked, or was refused.
            looking = asyncio.create_task(has_looked.wait())
            await asyncio.wait([create, looking], return_when=asyncio.FIRST_COMPLETED)
            looking.cancel()
        if moment == writes:
            may_write.set()
            assert create is not None
            await asyncio.wait([create])

    passed = [MOMENTS[0]]
    await reach(MOMENTS[0])

    async def after(method: str) -> None:
        moments = {"states": "listed", "condemn": "condemned", "delete": "deleted"}
        # Each moment is reached once, in order.
        if method in moments and MOMENTS.index(moments[method]) >= len(passed):
            passed.append(moments[method])
            await reach(moments[method])

    sweep = replace(
        deployment.sweep,
        ledger=Hooked(deployment.records.ledger, after=after),
        storage=Hooked(deployment.store.storage, after=after),
    )
    await sweep(yes=True)
    if create is None or not create.done():
        # The sweep found nothing to condemn, so it did not reach the later moments.
        for moment in MOMENTS[len(passed) :]:
            await reach(moment)
    assert create is not None

    stored, state = await deployment.store.storage.stat(path), await deployment.state(path)
    if MOMENTS.index(writes) < MOMENTS.index("condemned"):
        assert (stored, state) == ((await create).stored, PathState.RECORDED)
    else:
        with pytest.raises(Refusal):
            await create
        assert (stored, state) == (None, PathState.CONDEMNED)


@pytest.mark.timeout(1800)
@on_every_adapter
async def test_no_race_of_sweeps_and_creates_leaves_a_record_without_its_object(deployment: Swept) -> None:
    """In each race, four creates begin at different steps of a sweep, some of them after it."""
    steps = [asyncio.Event() for _ in range(20)]

    async def step(method: str) -> None:
        next((event for event in steps if not event.is_set()), steps[-1]).set()
        await asyncio.sleep(0)

    sweep = replace(
        deployment.sweep,
        ledger=Hooked(deployment.records.ledger, before=step, after=step),
        storage=Hooked(deployment.store.storage, before=step, after=step),
    )

    async def create(path: StoragePath, begin: asyncio.Event) -> Document | None:
        await begin.wait()
        try:
            return await deployment.create(path)
        except Refusal:
            return None

    was_refused = set()
    for race in range(RACES):
        paths = [await deployment.upload(f"documents/{race}/{number}") for number in range(4)]
        for event in steps:
            event.clear()
        begins = [steps[(race * number) % len(steps)] for number in range(len(paths))]
        creates = asyncio.gather(*(create(path, begin) for path, begin in zip(paths, begins, strict=True)))
        await sweep(yes=True)
        for event in steps:
            event.set()
        for path, document in zip(paths, await creates, strict=True):
            stored, state = await deployment.store.storage.stat(path), await deployment.state(path)
            if document is None:
                assert (stored, state) == (None, PathState.CONDEMNED)
            else:
                assert (stored, state) == (document.stored, PathState.RECORDED)
                # The next sweep lists as few objects as this one.
                await deployment.store.replace(path, None)
            was_refused.add(document is None)
    assert was_refused == {True, False}
