"""The objects that a sweep deletes, and the objects that it never deletes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import Invalid, StorageConflict
from domain.paths import StoragePath, workspace_prefix
from domain.use_cases.sweep import TooManyOrphans
from domain.use_cases.sweep_report import SweepReport
from ports.ledger import PathState
from ports.storage import ListedObject
from ports.system import Unavailable
from ports.versions import OtherVersions
from tests.domain.world import Instead, World, members, unavailable

pytestmark = pytest.mark.usefixtures("claimed")


async def state(world: World, caller: Caller, path: StoragePath) -> PathState | None:
    return (await world.ledger.states([path])).get(path)


async def test_an_upload_that_is_not_recorded_within_a_day_is_deleted(world: World) -> None:
    caller = await world.caller()
    path, document = await world.upload(caller), await world.record(caller)
    world.clock.advance(hours=23, minutes=59)
    assert await world.sweep() == SweepReport(objects=2, expired=1)
    assert await world.storage.stat(path) is not None

    world.clock.advance(minutes=1)
    assert await world.sweep() == SweepReport(objects=2, unrecorded=1, unrecorded_bytes=8, issued=1, deleted=1)
    assert (await world.documents.usage(caller.workspace_id)).reserved_bytes == 0
    assert await world.storage.stat(path) is None
    with pytest.raises(Invalid):
        await world.create_document(caller, members(path), None)
    world.clock.advance(days=365)
    assert await world.sweep(yes=True) == SweepReport(objects=1, condemned=1, deleted=1, unused_paths=1)
    assert await world.storage.stat(document.storage_path) == document.stored


async def test_a_late_upload_to_a_condemned_path_is_never_recorded_and_is_deleted(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    await world.sweep(yes=True)
    assert await state(world, caller, path) is PathState.CONDEMNED
    world.clock.advance(hours=1)
    assert (await world.sweep.without_listing()).condemned == 1
    assert await state(world, caller, path) is PathState.CONDEMNED

    world.storage.swap(path, b"late")
    with pytest.raises(StorageConflict):
        await world.create_document(caller, members(path), None)
    world.clock.advance(hours=1)
    assert (await world.sweep.without_listing()).deleted == 1
    assert await world.storage.stat(path) is None
    assert await state(world, caller, path) is PathState.GONE
    assert (await world.sweep.without_listing()).condemned == 0
    world.storage.swap(path, b"much later")
    with pytest.raises(StorageConflict) as refused:
        await world.create_document(caller, members(path), None)
    assert refused.value.document_id is None
    assert (await world.sweep()).deleted == 1
    assert await world.storage.stat(path) is None


async def test_the_next_sweep_finishes_an_interrupted_sweep(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    cut_off: Any = Instead(world.storage, delete=unavailable)
    with pytest.raises(Unavailable):
        await replace(world.sweep, storage=cut_off)(yes=True)
    assert await state(world, caller, path) is PathState.CONDEMNED
    assert await world.storage.stat(path) is not None
    assert (await world.sweep.without_listing()).deleted == 1
    assert await world.storage.stat(path) is None


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    world.clock.advance(days=1)
    before = await world.storage.read_mark(), await world.deployments.read()
    counted = SweepReport(objects=1, unrecorded=1, unrecorded_bytes=8, issued=1, expired=1)
    assert await world.sweep(dry_run=True) == counted
    assert await world.storage.stat(path) is not None
    assert await state(world, caller, path) is PathState.ISSUED
    assert (await world.storage.read_mark(), await world.deployments.read()) == before


def put_aside(world: World, caller: Caller, name: str) -> StoragePath:
    """Store an object that no upload URL was issued for."""
    path = StoragePath(f"{workspace_prefix(caller.workspace_id)}by-hand/{name}")
    world.storage.swap(path, b"aside")
    return path


@pytest.mark.parametrize(("recorded", "unexplained", "much"), [(19, 1, False), (18, 1, True), (0, 1, True)])
async def test_unexplained_orphans_above_5_percent_of_their_workspace_need_confirmation(
    world: World, recorded: int, unexplained: int, much: bool
) -> None:
    caller, neighbour = [await world.caller(quota_bytes=1_000_000) for _ in range(2)]
    for _ in range(recorded):
        await world.record(caller)
    # The limit is computed for each workspace. The neighbour's recorded objects do not raise that of `caller`, and the
    # neighbour's orphans are deleted.
    for _ in range(40):
        await world.record(neighbour)
    paths = [put_aside(world, caller, f"{number}") for number in range(unexplained)]
    others = [await world.upload(neighbour), put_aside(world, neighbour, "few")]
    world.clock.advance(days=1)
    if much:
        with pytest.raises(TooManyOrphans) as refused:
            await world.sweep()
        assert refused.value.swept.unconfirmed == [caller.workspace_id]
        assert caller.workspace_id in str(refused.value)
        assert neighbour.workspace_id not in str(refused.value)
        assert [await state(world, caller, path) for path in paths] == [None] * unexplained
        assert await world.storage.stat(paths[0]) is not None
        assert [await world.storage.stat(path) for path in others] == [None, None]
    assert (await world.sweep(yes=much)).deleted >= unexplained
    assert await world.storage.stat(paths[0]) is None


async def test_over_1000_unexplained_orphans_need_confirmation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.use_cases.sweep.UNEXPLAINED_MAX", 2)
    monkeypatch.setattr("domain.use_cases.sweep.UNEXPLAINED_SHARE_MAX", 1)
    caller = await world.caller()
    put_aside(world, caller, "1")
    put_aside(world, caller, "2")
    world.clock.advance(days=1)
    assert (await world.sweep()).deleted == 2
    for number in range(3):
        put_aside(world, caller, f"3{number}")
    world.clock.advance(days=1)
    with pytest.raises(TooManyOrphans):
        await world.sweep()


async def test_any_number_of_uploads_of_one_workspace_never_stops_the_sweep(world: World) -> None:
    attacker, other = [await world.caller() for _ in range(2)]
    for _ in range(1001):
        await world.upload(attacker, b"")
    path = await world.upload(other)
    world.clock.advance(days=1)
    swept = await world.sweep()
    assert (swept.unrecorded, swept.issued, swept.deleted, swept.unconfirmed) == (1002, 1002, 1002, [])
    assert await world.storage.stat(path) is None


async def condemn(world: World, caller: Caller, paths: Sequence[StoragePath]) -> None:
    listed = [ListedObject(key=path, size_bytes=8, etag="e", modified_at=world.clock()) for path in paths]
    assert await world.ledger.condemn(caller.workspace_id, listed, world.clock()) == paths


async def test_objects_outside_the_workspaces_of_this_database_are_kept(world: World) -> None:
    caller = await world.caller()
    elsewhere = ["workspaces/ws_01JRTZ6X8ZPMK0YB2S5V4NQ3W7/documents/a", "backup/a", ".dossier/other"]
    unusual = f"{workspace_prefix(caller.workspace_id)}documents/ümlaut"
    for key in (*elsewhere, unusual):
        world.storage.swap(StoragePath(key), b"theirs")
    world.clock.advance(days=2)
    assert await world.sweep(yes=True) == SweepReport(objects=1, foreign=1)
    assert all([await world.storage.stat(StoragePath(key)) for key in (*elsewhere, unusual)])


async def test_a_folder_without_documents_is_deleted_by_the_next_sweep_that_lists_all_objects(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, folder="/a/b")
    await world.patch_document(caller, document.id, {"folder": "/a/c/d"}, None)
    assert (await world.sweep(dry_run=True)).folders == (await world.sweep.without_listing()).folders == 0
    assert await world.folders(caller, parent="/a") == {"/a/b": 0, "/a/c": 1}
    assert await world.sweep() == SweepReport(objects=1, folders=1)
    assert await world.folders(caller, parent="/a") == {"/a/c": 1}


async def test_unfinished_uploads_and_expired_receipts_are_deleted_after_a_day(world: World) -> None:
    caller = await world.caller()
    path = await world.upload(caller)
    await world.create_document(caller, members(path), "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    world.storage.leave_unfinished(path)
    world.clock.advance(hours=23)
    assert await world.sweep() == SweepReport(objects=1)
    world.clock.advance(hours=1, seconds=1)
    assert await world.sweep() == SweepReport(objects=1, unfinished=1, receipts=1)
    assert await world.sweep() == SweepReport(objects=1)


async def test_progress_is_reported_after_every_page_and_only_a_complete_sweep_records_its_time(world: World) -> None:
    caller = await world.caller()
    for _ in range(3):
        await world.upload(caller)
    world.clock.advance(days=1)
    await world.sweep.without_listing()
    await world.sweep(dry_run=True)
    assert (await world.deployments.read()).swept_at is None
    seen: list[tuple[int, int]] = []
    await world.sweep(yes=True, on_progress=lambda swept: seen.append((swept.objects, swept.deleted)))
    assert (3, 0) in seen
    assert seen[-1] == (3, 3)
    assert (await world.deployments.read()).swept_at == world.clock()


async def test_an_object_that_the_store_refuses_to_delete_delays_no_other(world: World) -> None:
    caller = await world.caller()
    locked, free = [await world.upload(caller) for _ in range(2)]
    await condemn(world, caller, [locked, free])
    abandoned = await world.upload(caller)
    world.clock.advance(days=1)

    async def delete(paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        await world.storage.delete([path for path in paths if path != locked])
        return [path for path in paths if path == locked]

    holding: Any = Instead(world.storage, delete=delete)
    swept = await replace(world.sweep, storage=holding)(yes=True)
    assert (swept.deleted, swept.held) == (2, 1)
    assert [await world.storage.stat(path) is None for path in (locked, free, abandoned)] == [False, True, True]
    # Every later sweep tries again.
    assert await state(world, caller, locked) is PathState.CONDEMNED
    assert await state(world, caller, free) is PathState.GONE


async def test_versions_beside_recorded_ones_are_counted_and_those_that_the_store_keeps_are_held(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller) for _ in range(2)]
    unversioned, orphan = await world.record(caller), await world.upload(caller)
    records = world.documents.records_of(caller.workspace_id).documents
    for document in documents:
        records[document.id] = replace(document, stored=replace(document.stored, version_id="v1"))
    asked: list[tuple[str, bool]] = []

    async def list_replaced(prefix: str) -> AsyncIterator[Sequence[str]]:
        yield [document.storage_path for document in documents]
        yield [unversioned.storage_path, orphan, f"{prefix}{caller.workspace_id}/ümlaut", f"{prefix}elsewhere/a"]

    async def delete_other_versions(path: StoragePath, version_id: str, *, dry_run: bool) -> OtherVersions:
        asked.append((path, dry_run))
        return OtherVersions(3, are_held=path == documents[0].storage_path and not dry_run)

    storage: Any = Instead(world.storage, delete_other_versions=delete_other_versions)
    vars(storage)["list_replaced"] = list_replaced
    sweep = replace(world.sweep, storage=storage)
    assert await sweep(dry_run=True) == SweepReport(objects=4, other_versions=6)
    assert await sweep() == SweepReport(objects=4, other_versions=6, held=1)
    assert asked == [(document.storage_path, dry_run) for dry_run in (True, False) for document in documents]


async def test_an_object_is_deleted_twice_however_many_processes_sweep(world: World, caller: Caller) -> None:
    document = await world.record(caller)
    await world.delete_document(caller, document.id, None)
    deleted: list[StoragePath] = []

    async def delete(paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        deleted.extend(paths)
        return await world.storage.delete(paths)

    storage: Any = Instead(world.storage, delete=delete)
    processes = [replace(world.sweep, storage=storage) for _ in range(3)]
    for _ in range(15):
        world.clock.advance(minutes=10)
        for process in processes:
            await process.without_listing()
    assert deleted == [document.storage_path] * 2
    assert await state(world, caller, document.storage_path) is PathState.GONE


async def test_too_many_orphans_do_not_stop_the_rest_of_a_sweep(world: World) -> None:
    caller = await world.caller()
    gone = await world.upload(caller)
    await condemn(world, caller, [gone])
    world.clock.advance(hours=2)
    await world.sweep.without_listing()
    world.storage.swap(gone, b"late")
    path = await world.upload(caller)
    await world.create_document(caller, members(path), "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    abandoned = put_aside(world, caller, "abandoned")
    world.storage.leave_unfinished(path)
    world.clock.advance(hours=25)
    with pytest.raises(TooManyOrphans) as refused:
        await world.sweep()
    swept = refused.value.swept
    assert (swept.unrecorded, swept.deleted, swept.unfinished, swept.receipts) == (1, 1, 1, 1)
    assert await world.storage.stat(gone) is None
    assert await world.storage.stat(abandoned) is not None


async def test_an_orphan_that_was_not_counted_is_not_deleted(world: World) -> None:
    caller = await world.caller(quota_bytes=10_000)
    for _ in range(20):
        await world.record(caller)
    await world.upload(caller)
    world.clock.advance(minutes=10)
    later = [await world.upload(caller) for _ in range(15)]
    world.clock.advance(hours=23, minutes=50)

    # A listing takes time, and objects that arrived later may have become old enough meanwhile.
    swept = await world.sweep(on_progress=lambda swept: world.clock.advance(minutes=10) if not swept.deleted else None)
    assert (swept.unrecorded, swept.deleted) == (1, 1)
    assert all([await world.storage.stat(path) for path in later])


async def test_inherited_orphans_are_kept_until_confirmed(world: World) -> None:
    caller = await world.caller(quota_bytes=10_000)
    for _ in range(100):
        await world.record(caller)
    inherited = [await world.upload(caller) for _ in range(2)]
    world.clock.advance(days=2)
    await world.adopt_store()
    own = await world.upload(caller)
    world.clock.advance(days=2)
    swept = await world.sweep()
    assert (swept.unrecorded, swept.inherited, swept.deleted) == (3, 2, 1)
    assert [await world.storage.stat(path) is None for path in (*inherited, own)] == [False, False, True]
    swept = await world.sweep(yes=True)
    assert (swept.unrecorded, swept.inherited, swept.deleted) == (2, 2, 3)
    assert [await world.storage.stat(path) for path in inherited] == [None, None]


async def test_every_workspace_is_swept_and_keeps_its_documents(world: World) -> None:
    callers = [await world.caller() for _ in range(2)]
    recorded = [await world.record(caller) for caller in callers]
    for caller in callers:
        await condemn(world, caller, [await world.upload(caller)])
        world.storage.leave_unfinished(await world.upload(caller))
    world.storage.leave_unfinished(StoragePath("workspaces/ws_01JRTZ6X8ZPMK0YB2S5V4NQ3W7/a"))
    world.clock.advance(days=2)
    swept = await world.sweep(yes=True)
    assert (swept.condemned, swept.unrecorded, swept.deleted, swept.unfinished) == (2, 2, 4, 3)
    assert await world.storage_paths() == {document.storage_path for document in recorded}
