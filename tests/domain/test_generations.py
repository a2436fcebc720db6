"""The generation that database and store share, and the differences that a restored database shows."""

from collections.abc import AsyncIterator, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from domain.access import Caller
from domain.paths import StoragePath
from domain.use_cases.compare_store import StoreComparison
from domain.use_cases.generations import ForeignStore
from domain.use_cases.sweep import TooManyOrphans
from ports.api_keys import ApiKeyUse
from ports.deployment import Deployment, Task
from ports.storage import ListedObject
from ports.system import Unavailable
from tests.domain.world import Instead, World, unavailable

pytestmark = pytest.mark.usefixtures("claimed")


async def test_the_generation_is_replaced_once_after_a_change(world: World, caller: Caller) -> None:
    marks = []
    for changes in (1, 0, 1):
        for _ in range(changes):
            await world.record(caller)
        await world.advance_generation()
        marks.append(await world.storage.read_mark())
    assert marks[0] == marks[1] != marks[2]


async def test_a_database_restored_to_before_a_change_is_refused(world: World, caller: Caller) -> None:
    document = await world.record(caller)
    await world.advance_generation()
    dump = copy(world.deployments)
    await world.delete_document(caller, document.id, None)
    await world.advance_generation()
    for use_case in (world.claim_store, world.advance_generation):
        restored = replace(use_case, deployments=dump)
        with pytest.raises(ForeignStore, match="restored from a dump or copied"):
            await restored()


async def test_a_generation_that_begins_during_a_change_is_replaced_after_it(world: World, caller: Caller) -> None:
    await world.record(caller)
    deployments = Instead(world.deployments, read=partial(_read_during_a_change, world))
    await replace(world.advance_generation, deployments=deployments)()
    # The dump has the generation, and lacks the change.
    dump = copy(world.deployments)
    await world.advance_generation()
    with pytest.raises(ForeignStore, match="restored from a dump or copied"):
        await replace(world.claim_store, deployments=dump)()


async def _read_during_a_change(world: World) -> Deployment:
    return replace(await world.deployments.read(), is_settled=False)


async def test_a_database_dumped_while_the_generation_was_replaced_is_refused_after_later_changes(world: World) -> None:
    caller = await world.caller()
    await world.record(caller)
    cut_off = replace(world.advance_generation, storage=Instead(world.storage, write_mark=unavailable))
    with pytest.raises(Unavailable):
        await cut_off()
    # The dump knows the announced generation, with which the next replacement continues.
    dump = copy(world.deployments)
    await world.record(caller)
    for _ in range(2):
        await world.advance_generation()
    with pytest.raises(ForeignStore, match="restored from a dump or copied"):
        await replace(world.claim_store, deployments=dump)()


async def test_only_one_process_at_a_time_replaces_the_generation(world: World) -> None:
    await world.record(await world.caller())
    before = await world.storage.read_mark()
    async with world.deployments.exclusive(Task.ADVANCE_GENERATION):
        await world.advance_generation()
    assert await world.storage.read_mark() == before


async def mint_api_key(world: World, caller: Caller) -> None:
    await world.mint_api_key(workspace=caller.workspace_id, name="a", granted=["write:documents"])


async def test_a_database_that_lost_its_newest_records_is_refused_until_it_adopts_the_store(
    world: World, caller: Caller
) -> None:
    await mint_api_key(world, caller)
    await world.record(caller)
    dump = deepcopy(world.ledger)
    world.clock.advance(seconds=1)
    lost = await world.record(caller)
    restored = replace(world.claim_store, ledger=dump)
    with pytest.raises(ForeignStore, match=f"1 upload that this database never issued, such as {lost.storage_path}"):
        await restored()
    compared = await replace(world.compare_store, ledger=dump)()
    assert compared == StoreComparison(
        objects=2, unknown=1, unknown_bytes=lost.stored.size_bytes, missing=1, examples=[lost.storage_path]
    )
    world.clock.advance(seconds=1)
    await world.adopt_store()
    await restored()


async def test_documents_that_are_recorded_or_deleted_during_the_listing_are_not_missing(world: World) -> None:
    caller = await world.caller()
    deleted = await world.record(caller)
    acts: list[Any] = [partial(world.record, caller), partial(world.delete_document, caller, deleted.id, None)]

    async def changing(prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        async for page in world.storage.list(prefix):
            await acts.pop()()
            yield page

    listing: Any = changing
    compare = replace(world.compare_store, storage=Instead(world.storage, list=listing))
    while acts:
        assert (await compare()).missing == 0


async def test_a_start_compares_the_workspaces_used_last_and_a_sweep_all_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.use_cases.compare_store.COMPARED_MAX", 1)
    callers = [await world.caller() for _ in range(2)]
    for caller in callers:
        await mint_api_key(world, caller)
        # One orphan among so many objects would be deleted, if it were unused.
        for _ in range(40):
            await world.record(caller)
    dump = deepcopy(world.ledger)
    world.clock.advance(seconds=1)
    lost = [(await world.record(caller)).storage_path for caller in callers]
    for caller, path in zip(callers, lost, strict=True):
        key = (await world.keys.all(caller.workspace_id))[0]
        world.clock.advance(minutes=2)
        await world.keys.record_uses([ApiKeyUse(caller.workspace_id, key.id, world.clock())])
        with pytest.raises(ForeignStore, match=f"has 1 upload .* such as {path}"):
            await replace(world.claim_store, ledger=dump)()
    world.clock.advance(days=1)
    with pytest.raises(TooManyOrphans) as refused:
        await replace(world.sweep, ledger=dump)()
    assert refused.value.swept.unconfirmed == [caller.workspace_id for caller in callers]
    assert None not in [await world.storage.stat(path) for path in lost]


async def test_paths_that_were_forgotten_show_no_loss(world: World, caller: Caller) -> None:
    await mint_api_key(world, caller)
    path = await world.upload(caller)
    world.clock.advance(days=1)
    await world.sweep()
    world.clock.advance(days=30, seconds=1)
    assert (await world.sweep()).unused_paths == 1
    world.storage.swap(path, b"an upload of a month")
    await world.claim_store()


async def test_other_unknown_objects_are_no_sign_of_lost_records(world: World, caller: Caller) -> None:
    issued = (await world.record(caller)).storage_path
    world.clock.advance(seconds=1)
    prefix, ulid, _ = issued.rsplit("/", 2)
    # A client's own names; a time in the future, as a year looks; and an object older than the newest upload.
    for name in (f"{prefix}/{ulid}Z/a", f"{prefix}/2026/a", f"{prefix}/{ulid[:-3]}000/a", f"{prefix}s/a"):
        world.storage.swap(StoragePath(name), b"x")
    await world.claim_store()
    assert (await world.compare_store()).unknown == 4
