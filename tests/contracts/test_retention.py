"""The guarantees of `Retention`. The tests of idempotency keys test that expired receipts are deleted."""

from datetime import timedelta

from ports.ledger import PathState
from ports.outcomes import Created, PathTaken
from tests.contracts.races import at_once
from tests.contracts.records import Records

DAY = timedelta(days=1)


async def test_a_gone_path_is_free_again_after_its_time_if_it_was_never_recorded(records: Records) -> None:
    # Forget the paths of other tests, whose clocks may be far ahead.
    await records.retention.forget_unused_paths(records.clock() + 10_000 * DAY)
    home = await records.workspace(quota_bytes=10**6)
    names = "unused", "orphan", "condemned", "recorded", "deleted", "late"
    unused, orphan, condemned, _, deleted, late = paths = [records.path(home, f"documents/{name}") for name in names]
    await records.issue(home, "documents/unused", 10)
    records.clock.advance(hours=1)
    await records.settle(home, {unused: None})
    await records.recorded(home, path="documents/recorded")
    await records.delete(home, (await records.recorded(home, path="documents/deleted")).id)
    await records.condemn(home, orphan, condemned, late)
    records.clock.advance(hours=1)
    await records.finalise(home, records.clock(), unused, orphan, deleted, late)
    await records.condemn(home, late)
    before = await records.states(home, *paths)
    assert await records.retention.forget_unused_paths(records.clock() - 2 * DAY) == 0
    assert await records.states(home, *paths) == before
    assert await records.retention.forget_unused_paths(records.clock() + DAY) == 2
    assert await records.states(home, *paths) == [
        *(None, None, PathState.CONDEMNED, PathState.RECORDED, PathState.GONE, PathState.CONDEMNED)
    ]
    assert await records.create(home, records.document(home, path="documents/deleted")) == PathTaken(None)
    again = records.document(home, path="documents/unused")
    assert await records.create(home, again) == Created(again)
    assert (await records.documents.usage(home.id)).reserved_bytes == 0


async def test_paths_are_forgotten_in_every_workspace_however_many_there_are(records: Records) -> None:
    homes = [await records.workspace() for _ in range(3)]
    wanted = {home.id: [records.path(home, f"documents/{n}") for n in range(450)] for home in homes}
    for home in homes:
        await records.condemn(home, *wanted[home.id])
        await records.finalise(home, records.clock() + DAY, *wanted[home.id])
    assert await records.retention.forget_unused_paths(records.clock() + DAY) >= 3 * 450
    for home in homes:
        assert set(await records.states(home, *wanted[home.id])) == {None}


async def test_of_a_path_that_is_forgotten_and_condemned_anew_at_once_the_object_is_deleted(shared: Records) -> None:
    home = await shared.workspace()
    paths = [shared.path(home, f"documents/{n}") for n in range(40)]
    await shared.condemn(home, *paths)
    await shared.finalise(home, shared.clock() + DAY, *paths)
    await at_once(
        [
            shared.retention.forget_unused_paths(shared.clock() + DAY),
            *(shared.condemn(home, path) for path in paths),
        ]
    )
    # Forgotten or not, each is condemned now.
    assert await shared.states(home, *paths) == [PathState.CONDEMNED] * len(paths)
