"""What `ObjectLedger` and `Deployments` promise, on every adapter."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.access import Workspace
from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.ledger import PathState
from ports.outcomes import Created, PathTaken
from ports.storage import ListedObject
from tests.contracts.records import Records

HOUR = timedelta(hours=1)


def listed(records: Records, workspace: Workspace, *names: str) -> Sequence[ListedObject]:
    at = records.clock()
    return [ListedObject(key=path_of(workspace, name), size_bytes=1, etag="e", modified_at=at) for name in names]


def path_of(workspace: Workspace, name: str) -> StoragePath:
    return StoragePath(f"workspaces/{workspace.id}/documents/{name}")


async def states(records: Records, workspace: Workspace, *names: str) -> list[PathState | None]:
    paths = [path_of(workspace, name) for name in names]
    known = await records.ledger.states(workspace.id, paths)
    return [known.get(path) for path in paths]


async def condemned(records: Records, workspace: Workspace) -> set[StoragePath]:
    """Those of one workspace, of all that there are."""
    return {
        item.path async for page in records.ledger.condemned() for item in page if item.workspace_id == workspace.id
    }


async def test_a_recorded_path_is_never_condemned(records: Records) -> None:
    home = await records.workspace()
    document = records.document(home, path="documents/a")
    await records.documents.create(document, records.intent(home))
    taken = await records.ledger.condemn(home.id, listed(records, home, "a", "b"), records.clock())
    assert taken == [path_of(home, "b")]
    assert await states(records, home, "a", "b", "c") == [PathState.RECORDED, PathState.CONDEMNED, None]
    assert await records.now(home, document) == document


async def test_a_condemned_path_is_taken_for_every_create_and_by_no_document(records: Records) -> None:
    home = await records.workspace()
    await records.ledger.condemn(home.id, listed(records, home, "a"), records.clock())
    for gone in (False, True):
        document = records.document(home, path="documents/a")
        assert await records.documents.create(document, records.intent(home, str(uuid4()))) == PathTaken(None)
        if not gone:
            await records.ledger.finalise(home.id, [path_of(home, "a")], records.clock() + HOUR)
            assert await states(records, home, "a") == [PathState.GONE]
    usage = await records.documents.usage(home.id)
    assert (usage.used_bytes, usage.documents) == (0, 0)


async def test_only_what_was_condemned_before_a_time_is_settled(records: Records) -> None:
    home = await records.workspace()
    await records.ledger.condemn(home.id, listed(records, home, "early"), records.clock())
    records.clock.advance(hours=1)
    await records.ledger.condemn(home.id, listed(records, home, "early", "late"), records.clock())
    recorded = records.document(home, path="documents/recorded")
    await records.documents.create(recorded, records.intent(home))
    paths = [path_of(home, name) for name in ("early", "late", "unknown", "recorded")]
    await records.ledger.finalise(home.id, paths, records.clock())
    assert await states(records, home, "early", "late", "unknown") == [PathState.GONE, PathState.CONDEMNED, None]
    assert await states(records, home, "recorded") == [PathState.RECORDED]
    assert await condemned(records, home) == {path_of(home, "late")}


async def test_a_path_that_was_gone_is_condemned_anew(records: Records) -> None:
    home = await records.workspace()
    objects = listed(records, home, "a")
    await records.ledger.condemn(home.id, objects, records.clock())
    await records.ledger.finalise(home.id, [path_of(home, "a")], records.clock() + HOUR)
    records.clock.advance(hours=2)
    assert await records.ledger.condemn(home.id, objects, records.clock()) == [path_of(home, "a")]
    await records.ledger.finalise(home.id, [path_of(home, "a")], records.clock())
    assert await states(records, home, "a") == [PathState.CONDEMNED]


async def test_every_condemned_path_is_told_however_many_there_are(records: Records) -> None:
    homes = [await records.workspace() for _ in range(2)]
    names = [f"{number:04}" for number in range(1500)]
    for home in homes:
        await records.ledger.condemn(home.id, listed(records, home, *names), records.clock())
    for home in homes:
        assert await condemned(records, home) == {path_of(home, name) for name in names}


async def test_another_workspace_is_not_touched(records: Records) -> None:
    home, other = await records.workspace(), await records.workspace()
    await records.documents.create(records.document(home, path="documents/a"), records.intent(home))
    await records.ledger.condemn(home.id, listed(records, home, "b"), records.clock())
    assert await states(records, other, "a", "b") == [None, None]
    foreign = [path_of(home, "a"), path_of(home, "b")]
    assert await records.ledger.states(other.id, foreign) == {}
    await records.ledger.finalise(other.id, foreign, records.clock() + HOUR)
    assert await states(records, home, "a", "b") == [PathState.RECORDED, PathState.CONDEMNED]


async def test_of_a_create_and_a_condemnation_at_once_one_wins(records: Records) -> None:
    home = await records.workspace(quota_bytes=10**9)
    barrier = asyncio.Barrier(80)

    async def create(name: str) -> bool:
        document = records.document(home, path=f"documents/{name}")
        await barrier.wait()
        return isinstance(await records.documents.create(document, records.intent(home)), Created)

    async def condemn(name: str) -> bool:
        await barrier.wait()
        return bool(await records.ledger.condemn(home.id, listed(records, home, name), records.clock()))

    names = [f"{number}" for number in range(40)]
    won = await asyncio.gather(*(act(name) for name in names for act in (create, condemn)))
    created, taken = won[0::2], won[1::2]
    assert all(made != lost for made, lost in zip(created, taken, strict=True))
    wanted = [PathState.RECORDED if made else PathState.CONDEMNED for made in created]
    assert await states(records, home, *names) == wanted


async def test_an_unknown_workspace_has_nothing(records: Records) -> None:
    nobody = WorkspaceId("ws_01JRTZ6X8ZPMK0YB2S5V4NQ3W7")
    assert await records.ledger.states(nobody, [StoragePath("workspaces/x/a")]) == {}
    await records.ledger.finalise(nobody, [StoragePath("workspaces/x/a")], records.clock())


async def test_only_receipts_that_have_expired_are_forgotten(records: Records) -> None:
    home = await records.workspace(quota_bytes=10**9)
    early, late = records.intent(home, str(uuid4())), records.intent(home, str(uuid4()))
    # Those of other tests, whose clocks went on.
    await records.ledger.delete_expired_receipts(records.clock() + 10_000 * HOUR)
    await records.documents.create(records.document(home, path="documents/early"), early)
    records.clock.advance(hours=1)
    await records.documents.create(records.document(home, path="documents/late"), late)
    records.clock.advance(hours=23)
    assert await records.ledger.delete_expired_receipts(records.clock()) == 1
    assert await records.ledger.delete_expired_receipts(records.clock()) == 0
    assert await records.documents.receipt(early) is None
    assert await records.documents.receipt(late) is not None
    records.clock.advance(hours=1)
    assert await records.ledger.delete_expired_receipts(records.clock()) == 1


async def test_what_is_noted_of_a_deployment_is_known(records: Records) -> None:
    deployments = records.deployments
    new = await deployments.renew()
    assert new == await deployments.read()
    assert (new.claimed_at, new.next_generation) == (None, None)
    await deployments.claim(records.clock())
    await deployments.set_generation("a", "b")
    await deployments.record_sweep(records.clock())
    known = await deployments.read()
    assert (known.id, known.generation, known.next_generation) == (new.id, "a", "b")
    assert known.claimed_at == known.swept_at == records.clock()
    again = await deployments.renew()
    assert again.id != new.id
    assert again.generation != "a"
    assert (again.claimed_at, again.next_generation) == (None, None)


async def test_one_is_alone_until_its_block_ends(records: Records) -> None:
    alone = records.deployments.exclusive
    async with alone() as first, alone() as second:
        assert (first, second) == (True, False)


async def test_a_block_that_breaks_off_leaves_nobody_locked_out(records: Records) -> None:
    async def break_off() -> None:
        async with records.deployments.exclusive():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    async with records.deployments.exclusive() as is_alone:
        assert is_alone
