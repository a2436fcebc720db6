"""What the sweeper deletes, and what it never does."""

from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.memory.storage import MemoryStorage
from domain.access import Caller
from domain.errors import Invalid, StorageConflict
from domain.paths import StoragePath, workspace_prefix
from domain.use_cases.claim_storage import NotOurStorage
from domain.use_cases.sweep import AlreadySweeping, Sweep, Swept, TooMuch
from ports.ledger import PathState
from ports.storage import Listed
from ports.system import Unavailable
from tests.domain.world import World, members

HOUR = timedelta(hours=1)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.claim_storage()
    return world


async def state(world: World, caller: Caller, path: StoragePath) -> PathState | None:
    return (await world.ledger.states(caller.workspace_id, [path])).get(path)


async def test_an_upload_that_is_not_recorded_within_a_day_is_deleted(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(hours=23, minutes=59)
    assert await world.sweep(yes=True) == Swept(objects=1)
    assert await world.storage.stat(path) is not None

    world.clock.advance(minutes=1)
    assert await world.sweep(yes=True) == Swept(objects=1, unrecorded=1, unrecorded_bytes=8, deleted=1)
    assert await world.storage.stat(path) is None
    with pytest.raises(Invalid):
        await world.create_document(caller, members(path), None)


async def test_a_recorded_document_is_never_touched(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(days=365)
    assert await world.sweep(yes=True) == Swept(objects=1)
    assert await world.storage.stat(document.storage_path) == document.stored


async def test_what_comes_late_to_a_condemned_path_is_not_recorded_and_goes_at_once(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    await world.sweep(yes=True)
    for later in (timedelta(), HOUR + timedelta(seconds=1), HOUR):
        world.clock.advance(seconds=later.total_seconds())
        world.storage.swap(path, b"late")
        with pytest.raises(StorageConflict) as refused:
            await world.create_document(caller, members(path), None)
        assert refused.value.document_id is None
        swept = await world.sweep()
        assert swept.deleted == 1
        assert await world.storage.stat(path) is None
    assert (await world.documents.usage(caller.workspace_id)).documents == 0


async def test_a_condemned_path_is_looked_at_again_until_its_upload_can_have_ended(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    await world.sweep(yes=True)
    assert await state(world, caller, path) is PathState.CONDEMNED
    world.clock.advance(hours=1)
    assert (await world.sweep.settle()).condemned == 1
    assert await state(world, caller, path) is PathState.CONDEMNED

    world.storage.swap(path, b"late")
    world.clock.advance(seconds=1)
    assert (await world.sweep.settle()).deleted == 1
    assert await world.storage.stat(path) is None
    assert await state(world, caller, path) is PathState.GONE
    assert (await world.sweep.settle()).condemned == 0


async def test_a_sweep_that_is_cut_off_is_gone_on_with_by_the_next(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)

    async def delete(paths: Sequence[StoragePath]) -> None:
        raise Unavailable("the power went")

    with pytest.raises(Unavailable):
        await on(world, Instead(world.storage, delete=delete))(yes=True)
    assert await state(world, caller, path) is PathState.CONDEMNED
    assert await world.storage.stat(path) is not None
    assert (await world.sweep.settle()).deleted == 1
    assert await world.storage.stat(path) is None


class Instead:
    """A store that does something else instead of some of its verbs."""

    def __init__(self, storage: MemoryStorage, **verbs: Callable[..., Awaitable[object]]) -> None:
        self._storage = storage
        self.__dict__.update(verbs)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._storage, verb)


def on(world: World, storage: Any) -> Sweep:
    return Sweep(
        workspaces=world.workspaces,
        ledger=world.ledger,
        storage=storage,
        deployments=world.deployments,
        now=world.clock,
        new_token=lambda: "another-turn",
    )


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    before = await world.storage.read_mark(), await world.deployments.read()
    assert await world.sweep(dry_run=True) == Swept(objects=1, unrecorded=1, unrecorded_bytes=8)
    assert await world.storage.stat(path) is not None
    assert await state(world, caller, path) is None
    assert (await world.storage.read_mark(), await world.deployments.read()) == before


@pytest.mark.parametrize(("recorded", "unrecorded", "much"), [(19, 1, False), (18, 1, True), (0, 1, True)])
async def test_more_than_a_twentieth_of_all_objects_takes_a_yes(
    world: World, recorded: int, unrecorded: int, much: bool
) -> None:
    caller = await world.caller(quota_bytes=1_000_000)
    for _ in range(recorded):
        await world.record(caller)
    paths = [await world.upload(caller) for _ in range(unrecorded)]
    world.clock.advance(days=1)
    if much:
        with pytest.raises(TooMuch) as refused:
            await world.sweep()
        assert refused.value.swept.unrecorded == unrecorded
        assert [await state(world, caller, path) for path in paths] == [None] * unrecorded
        assert await world.storage.stat(paths[0]) is not None
    assert (await world.sweep(yes=True) if much else await world.sweep()).deleted == unrecorded
    assert await world.storage.stat(paths[0]) is None


@pytest.mark.parametrize(("unrecorded", "much"), [(1000, False), (1001, True)])
def test_more_than_a_thousand_objects_is_much(unrecorded: int, much: bool) -> None:
    assert Swept(objects=1_000_000, unrecorded=unrecorded).is_much is much


async def test_bytes_of_deleted_documents_take_no_yes(world: World) -> None:
    caller = await world.caller()
    paths = [await world.upload(caller) for _ in range(5)]
    await condemn(world, caller, paths)
    assert (await world.sweep()).deleted == 5
    assert [await world.storage.stat(path) for path in paths] == [None] * 5


async def condemn(world: World, caller: Caller, paths: Sequence[StoragePath]) -> None:
    listed = [Listed(key=path, size_bytes=8, etag="e", modified_at=world.clock()) for path in paths]
    assert await world.ledger.condemn(caller.workspace_id, listed, world.clock()) == paths


async def test_what_lies_outside_the_workspaces_of_this_database_is_left_alone(world: World) -> None:
    caller = await world.caller()
    elsewhere = ["workspaces/ws_01JRTZ6X8ZPMK0YB2S5V4NQ3W7/documents/a", "backup/a", ".dossier/other"]
    unusual = f"{workspace_prefix(caller.workspace_id)}documents/ümlaut"
    for key in (*elsewhere, unusual):
        world.storage.swap(StoragePath(key), b"theirs")
    world.clock.advance(days=2)
    assert await world.sweep(yes=True) == Swept(objects=1, foreign=1)
    assert all([await world.storage.stat(StoragePath(key)) for key in (*elsewhere, unusual)])


async def test_unfinished_uploads_and_expired_receipts_go_after_a_day(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    await world.create_document(caller, members(path), "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    world.storage.leave_unfinished(path)
    world.clock.advance(hours=23)
    assert await world.sweep() == Swept(objects=1)
    world.clock.advance(hours=1, seconds=1)
    assert await world.sweep() == Swept(objects=1, unfinished=1, receipts=1)
    assert await world.sweep() == Swept(objects=1)


async def test_one_process_sweeps_at_a_time(world: World) -> None:
    async with world.deployments.alone():
        with pytest.raises(AlreadySweeping):
            await world.sweep()
        with pytest.raises(AlreadySweeping):
            await world.sweep.settle()
    await world.sweep()


async def test_a_database_restored_from_a_dump_does_not_sweep(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    dump = copy(world.deployments)
    world.clock.advance(days=1)
    await world.sweep.settle()
    world.deployments = dump
    restored = on(world, world.storage)
    for attempt in (restored(yes=True), restored(dry_run=True), restored.settle()):
        with pytest.raises(NotOurStorage, match="restored from a dump"):
            await attempt
    assert await world.storage.stat(path) is not None


async def test_a_database_does_not_sweep_a_store_that_is_not_its_own(world: World) -> None:
    other = World()
    with pytest.raises(NotOurStorage, match="has no mark"):
        await on(world, other.storage)(yes=True)
    await other.claim_storage()
    with pytest.raises(NotOurStorage, match="belongs to deployment"):
        await on(world, other.storage)(yes=True)


@pytest.mark.parametrize("moment", ["before the store", "after the store"])
async def test_a_turn_that_was_cut_off_does_not_make_a_stranger_of_the_store(world: World, moment: str) -> None:
    async def write_mark(mark: str, *, replace: bool) -> bool:
        if moment == "after the store":
            await world.storage.write_mark(mark, replace=replace)
        raise Unavailable("the power went")

    with pytest.raises(Unavailable):
        await on(world, Instead(world.storage, write_mark=write_mark))()
    await world.sweep()
    deployment = await world.deployments.read()
    assert deployment.next_turn is None
    assert await world.storage.read_mark() == f"{deployment.id} {deployment.turn}"


async def test_who_watches_is_told_page_by_page(world: World) -> None:
    caller = await world.caller()
    for _ in range(3):
        await world.upload(caller)
    world.clock.advance(days=1)
    seen: list[tuple[int, int]] = []
    await world.sweep(yes=True, tell=lambda swept: seen.append((swept.objects, swept.deleted)))
    assert seen[0] == (3, 0)
    assert seen[-1] == (3, 3)


async def test_when_everything_was_looked_at_is_noted(world: World) -> None:
    async def swept_at() -> datetime | None:
        return (await world.deployments.read()).swept_at

    await world.sweep.settle()
    await world.sweep(dry_run=True)
    assert await swept_at() is None
    await world.sweep()
    assert await swept_at() == world.clock()
