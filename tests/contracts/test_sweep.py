"""The sweeper on every pair of repository and store: what it deletes, and that it loses nothing to a race."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from itertools import count
from typing import Any

import pytest

from adapters.in_process.system import new_secret
from adapters.postgres.database import open_database
from domain.access import Caller, Permission, Workspace
from domain.documents import Document
from domain.errors import Refusal
from domain.ids import ApiKeyId, UserId
from domain.paths import StoragePath
from domain.rate_limits import Plan
from domain.use_cases.claim_storage import ClaimStorage
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.sweep import Sweep
from ports.ledger import PathState
from tests.clock import StillClock
from tests.contracts.records import Records, memory_records, postgres_records
from tests.contracts.stores import Store

RACES = 2500 if "SOAK" in os.environ else 40
_numbers = count(1)


@pytest.fixture(params=["memory", "postgres"])
async def own(request: pytest.FixtureRequest, template_url: str) -> AsyncIterator[Records]:
    """Repositories that no other test has: a sweep looks at every workspace. A day and more after the store's now."""
    clock = StillClock(datetime.now(UTC) + timedelta(hours=25))
    if request.param == "memory":
        yield memory_records(clock)
        return
    name = f"sweep_{next(_numbers)}"
    async with open_database(template_url.replace("/template_of_all?", "/postgres?")) as server:
        await server.fetch(f"CREATE DATABASE {name} TEMPLATE template_of_all")
        async with open_database(template_url.replace("/template_of_all?", f"/{name}?")) as database:
            yield postgres_records(database, clock)
        await server.fetch(f"DROP DATABASE {name}")


class SweepReport:
    """A deployment on one repository and one store."""

    def __init__(self, records: Records, store: Store) -> None:
        self.records, self.store = records, store
        self.home = Workspace(
            id=store.workspace,
            name="Acme",
            owner_id=UserId("usr_" + records.new_id(records.clock())),
            plan=Plan.PRO,
            quota_bytes=10**9,
            created_at=records.clock(),
        )
        self.caller = Caller(
            workspace_id=self.home.id,
            user_id=self.home.owner_id,
            key_id=ApiKeyId("key_" + records.new_id(records.clock())),
            permissions=frozenset(Permission),
            request_id="req_1",
        )
        self.create_document = CreateDocument(
            documents=records.documents, storage=store.storage, now=records.clock, new_id=records.new_id
        )
        self.sweep = Sweep(
            workspaces=records.workspaces,
            ledger=records.ledger,
            storage=store.storage,
            deployments=records.deployments,
            now=records.clock,
            new_token=new_secret,
        )

    async def upload(self, name: str) -> StoragePath:
        signed = await self.store.storage.sign_upload(
            self.store.upload(name), datetime.now(UTC) + timedelta(minutes=15)
        )
        assert await self.store.put(signed, name.encode()) == 200
        return self.store.path(name)

    async def record(self, path: StoragePath, create: CreateDocument | None = None) -> Document:
        members = {"name": "a", "mime_type": "text/plain", "storage_path": path}
        return (await (create or self.create_document)(self.caller, members, None)).document

    async def state(self, path: StoragePath) -> PathState | None:
        return (await self.records.ledger.states(self.home.id, [path])).get(path)


Step = Callable[[str], Awaitable[None]]


async def _nothing(verb: str) -> None:
    pass


class Paced:
    """A port of which every awaited verb is preceded and followed by what a test does then."""

    def __init__(self, port: object, *, before: Step = _nothing, after: Step = _nothing) -> None:
        self._port, self._before, self._after = port, before, after

    def __getattr__(self, verb: str) -> Any:
        act = getattr(self._port, verb)
        if not iscoroutinefunction(act):
            return act

        async def paced(*arguments: object, **named: object) -> object:
            await self._before(verb)
            answer = await act(*arguments, **named)
            await self._after(verb)
            return answer

        return paced


@pytest.fixture
async def deployment(own: Records, store: Store) -> SweepReport:
    """One that has claimed its store."""
    deployment = SweepReport(own, store)
    await own.workspaces.add(deployment.home)
    await ClaimStorage(deployments=own.deployments, storage=store.storage, now=lambda: datetime.now(UTC))()
    return deployment


async def test_one_sweep_removes_what_is_nobodys_and_nothing_else(deployment: SweepReport) -> None:
    storage = deployment.store.storage
    recorded = await deployment.upload("documents/recorded")
    document = await deployment.record(recorded)
    abandoned = [await deployment.upload(f"documents/{number}/abandoned") for number in range(3)]
    await deployment.store.leave_unfinished(deployment.store.path("documents/unfinished"))

    swept = await deployment.sweep(yes=True)
    assert (swept.objects, swept.unrecorded, swept.deleted, swept.unfinished) == (4, 3, 3, 1)
    assert [await storage.stat(path) for path in abandoned] == [None] * 3
    assert await storage.stat(recorded) == document.stored
    assert await deployment.store.litter() == 0

    # What comes late goes too, however late.
    deployment.records.clock.advance(hours=2)
    await deployment.sweep.delete_condemned()
    assert await deployment.state(abandoned[0]) is PathState.GONE
    await deployment.store.swap(abandoned[0], b"late")
    swept = await deployment.sweep()
    assert (swept.late, swept.deleted) == (1, 1)
    assert await storage.stat(abandoned[0]) is None


MOMENTS = ("at first", "listed", "condemned", "deleted")


@pytest.mark.parametrize(
    ("looks", "writes"), [(MOMENTS[i], MOMENTS[j]) for i in range(len(MOMENTS)) for j in range(i, len(MOMENTS))]
)
async def test_a_create_at_any_moment_of_a_sweep_wins_or_loses_wholly(
    deployment: SweepReport, looks: str, writes: str
) -> None:
    path = await deployment.upload("documents/a")
    looked, may_write = asyncio.Event(), asyncio.Event()
    create: asyncio.Task[Document] | None = None

    async def before_writing(verb: str) -> None:
        if verb == "create":
            looked.set()
            await may_write.wait()

    slow = replace(deployment.create_document, documents=Paced(deployment.records.documents, before=before_writing))

    async def at(timestamp: str) -> None:
        nonlocal create
        if timestamp == looks:
            create = asyncio.create_task(deployment.record(path, slow))
            # Until it has looked, or was refused already.
            await asyncio.wait(
                [create, waiting := asyncio.create_task(looked.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()
        if timestamp == writes:
            may_write.set()
            assert create is not None
            await asyncio.wait([create])

    async def after(verb: str) -> None:
        moments = {"states": "listed", "condemn": "condemned", "delete": "deleted"}
        # Only of the path in question, and only the first time.
        if verb in moments and MOMENTS.index(moments[verb]) >= len(passed):
            passed.append(verb)
            await at(moments[verb])

    passed = ["at first"]
    await at("at first")
    sweep = replace(
        deployment.sweep,
        ledger=Paced(deployment.records.ledger, after=after),
        storage=Paced(deployment.store.storage, after=after),
    )
    await sweep(yes=True)
    if create is None or not create.done():
        # The sweep had nothing to condemn, so those moments never came.
        for timestamp in MOMENTS[len(passed) :]:
            await at(timestamp)
    assert create is not None

    stored, state = await deployment.store.storage.stat(path), await deployment.state(path)
    if MOMENTS.index(writes) < MOMENTS.index("condemned"):
        assert (stored, state) == ((await create).stored, PathState.RECORDED)
    else:
        with pytest.raises(Refusal):
            await create
        assert (stored, state) == (None, PathState.CONDEMNED)


@pytest.mark.timeout(1800)
async def test_of_many_sweeps_and_creates_at_once_no_record_is_left_without_its_bytes(deployment: SweepReport) -> None:
    steps = [asyncio.Event() for _ in range(20)]

    async def step(verb: str) -> None:
        next((event for event in steps if not event.is_set()), steps[-1]).set()
        await asyncio.sleep(0)

    sweep = replace(
        deployment.sweep,
        ledger=Paced(deployment.records.ledger, before=step, after=step),
        storage=Paced(deployment.store.storage, before=step, after=step),
    )

    async def record(path: StoragePath, begin: asyncio.Event) -> Document | None:
        await begin.wait()
        try:
            return await deployment.record(path)
        except Refusal:
            return None

    outcomes = set()
    for race in range(RACES):
        paths = [await deployment.upload(f"documents/{race}/{number}") for number in range(4)]
        for event in steps:
            event.clear()
        begins = [steps[(race * number) % len(steps)] for number in range(len(paths))]
        creates = asyncio.gather(*(record(path, begin) for path, begin in zip(paths, begins, strict=True)))
        await sweep(yes=True)
        # Some begin when it has ended.
        for event in steps:
            event.set()
        for path, document in zip(paths, await creates, strict=True):
            stored, state = await deployment.store.storage.stat(path), await deployment.state(path)
            if document is None:
                assert (stored, state) == (None, PathState.CONDEMNED)
            else:
                assert (stored, state) == (document.stored, PathState.RECORDED)
                # Looked at; the next listing is as short as the first.
                await deployment.store.swap(path, None)
            outcomes.add(document is None)
    assert outcomes == {True, False}
