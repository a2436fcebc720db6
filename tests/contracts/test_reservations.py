"""The guarantee of `DocumentRepository` and `ObjectLedger` that issued uploads and documents fit the quota."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest

from ports.ledger import PathState
from ports.outcomes import Created, OverQuota, PathTaken, UploadIssued
from ports.queries import Usage
from tests.contracts.races import at_once
from tests.contracts.records import Records

MANY = 40


async def test_uploads_documents_and_reservations_fit_the_quota_together_to_the_byte(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    await records.recorded(home, size_bytes=10)
    assert await records.issue(home, "a", 60) == UploadIssued()
    assert await records.issue(home, "b", 31) == OverQuota(100, 70, 31)
    assert await records.states(home, records.path(home, "a"), records.path(home, "b")) == [PathState.ISSUED, None]
    assert await records.create(home, records.document(home, path="c", size_bytes=31)) == OverQuota(100, 70, 31)
    assert await records.issue(home, "b", 30) == UploadIssued()
    assert await records.issue(home, "d", 1) == OverQuota(100, 100, 1)
    # The largest size does not overflow.
    largest = records.document(home, path="c", size_bytes=2**63 - 1)
    assert await records.create(home, largest) == OverQuota(100, 100, 2**63 - 1)
    assert await records.issue(home, "d", 0) == UploadIssued()
    assert await records.documents.usage(home.id) == Usage(10, 100, 1, reserved_bytes=90)


@pytest.mark.parametrize("quota_bytes", [10, 9], ids=["full", "exceeded"])
async def test_an_empty_file_fits_a_quota_without_room(records: Records, quota_bytes: int) -> None:
    home = await records.workspace(quota_bytes=10)
    await records.recorded(home, size_bytes=10)
    await records.workspaces.update(home.id, None, quota_bytes)
    empty = records.document(home, path="empty", size_bytes=0)
    assert await records.create(home, empty) == Created(empty)
    assert await records.issue(home, "a", 0) == UploadIssued()
    assert await records.reserve(home, "b", 0) == UploadIssued()
    byte = records.document(home, path="byte", size_bytes=1)
    assert await records.create(home, byte) == OverQuota(quota_bytes, 10, 1)
    assert await records.issue(home, "c", 1) == OverQuota(quota_bytes, 10, 1)
    assert await records.reserve(home, "b", 1) == OverQuota(quota_bytes, 10, 1)
    assert await records.usage(home) == (10, 0)


async def test_issuing_a_path_again_is_safe_even_if_the_quota_is_full(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    for _ in range(2):
        assert await records.issue(home, "a", 100) == UploadIssued()
        assert await records.usage(home) == (0, 100)


@pytest.mark.parametrize(("size_bytes", "fits"), [(0, True), (60, True), (70, True), (71, False)])
async def test_a_create_replaces_the_reservation_of_its_path(records: Records, size_bytes: int, fits: bool) -> None:
    home = await records.workspace(quota_bytes=100)
    await records.issue(home, "a", 60)
    await records.issue(home, "b", 30)
    document = records.document(home, path="a", size_bytes=size_bytes)
    outcome = await records.create(home, document)
    if fits:
        assert outcome == Created(document)
        assert await records.usage(home) == (size_bytes, 30)
        # A retry gets the result of the first call.
        assert await records.create(home, document) == Created(document)
        assert await records.usage(home) == (size_bytes, 30)
        assert await records.states(home, document.storage_path) == [PathState.RECORDED]
    else:
        assert outcome == OverQuota(100, 30, 71)
        assert await records.usage(home) == (0, 90)
        assert await records.states(home, document.storage_path) == [PathState.ISSUED]


async def test_a_reservation_may_shrink_whatever_the_quota_and_grow_within_it(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    await records.issue(home, "a", 60)
    await records.issue(home, "b", 30)
    assert await records.reserve(home, "a", 71) == OverQuota(100, 30, 71)
    for size in (70, 70, 50):
        assert await records.reserve(home, "a", size) == UploadIssued()
        assert await records.usage(home) == (0, size + 30)
    await records.workspaces.update(home.id, None, 10)
    assert await records.reserve(home, "a", 41) == UploadIssued()
    assert await records.reserve(home, "a", 42) == OverQuota(10, 30, 42)
    # A path that is not issued yet is issued, if the quota has room.
    assert await records.reserve(home, "c", 1) == OverQuota(10, 71, 1)
    await records.workspaces.update(home.id, None, 72)
    assert await records.reserve(home, "c", 1) == UploadIssued()
    assert await records.states(home, records.path(home, "c")) == [PathState.ISSUED]


async def test_nothing_is_reserved_at_a_path_that_is_recorded_condemned_or_gone(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, path="a")
    assert await records.reserve(home, "a", 1) == PathTaken(document.id)
    await records.delete(home, document.id)
    for _ in range(2):
        assert await records.reserve(home, "a", 1) == PathTaken(None)
        await records.finalise(home, records.clock() + timedelta(hours=1), document.storage_path)
    assert await records.usage(home) == (0, 0)


async def test_a_condemned_path_gives_its_reservation_back(records: Records) -> None:
    home = await records.workspace()
    await records.issue(home, "a", 60)
    assert await records.condemn(home, records.path(home, "a")) == [records.path(home, "a")]
    assert await records.usage(home) == (0, 0)
    assert await records.create(home, records.document(home, path="a")) == PathTaken(None)
    assert await records.states(home, records.path(home, "a")) == [PathState.CONDEMNED]


async def test_overdue_uploads_are_settled_by_what_was_found_unless_they_were_reserved_anew(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    for path in ("absent", "stored", "renewed", "recorded"):
        await records.issue(home, path, 10)
    assert await records.overdue(home) == []
    records.clock.advance(minutes=59)
    assert await records.overdue(home) == []
    records.clock.advance(minutes=1)
    overdue = await records.overdue(home)
    assert sorted(upload.path for upload in overdue) == sorted(
        records.path(home, path) for path in ("absent", "stored", "renewed", "recorded")
    )
    # These paths change after the objects were looked for and before the settlement.
    await records.reserve(home, "renewed", 20)
    await records.recorded(home, path="recorded", size_bytes=5)

    found = {records.path(home, path): None for path in ("absent", "renewed", "recorded", "unknown")}
    await records.settle(home, {**found, records.path(home, "stored"): 70})
    states = [PathState.CONDEMNED, PathState.ISSUED, PathState.ISSUED, PathState.RECORDED, None]
    paths = [records.path(home, path) for path in ("absent", "stored", "renewed", "recorded", "unknown")]
    assert await records.states(home, *paths) == states
    assert await records.usage(home) == (5, 90)
    assert await records.condemned(home) == [records.path(home, "absent")]
    # A day later, the sweep measures the object at `stored` again. Its new reservation may exceed the quota.
    records.clock.advance(hours=23)
    assert [upload.path for upload in await records.overdue(home)] == [records.path(home, "renewed")]
    records.clock.advance(hours=1)
    await records.settle(home, {records.path(home, "stored"): 2**62})
    assert await records.usage(home) == (5, 2**62 + 20)


async def test_every_overdue_upload_is_listed_however_many_there_are(records: Records) -> None:
    home = await records.workspace()
    paths = [f"{number:04}" for number in range(1200)]
    for some in (paths[:600], paths[600:]):
        await at_once(records.issue(home, path, 0) for path in some)
    records.clock.advance(hours=1)
    assert sorted(upload.path for upload in await records.overdue(home)) == [records.path(home, path) for path in paths]


async def test_of_many_uploads_and_creates_at_once_exactly_those_that_fit_succeed(shared: Records) -> None:
    for round_ in range(3):
        home = await shared.workspace(quota_bytes=100)
        calls: list[Awaitable[object]] = [shared.issue(home, f"{round_}/{number}", 7) for number in range(MANY)]
        calls += [
            shared.create(home, shared.document(home, path=f"{round_}/free/{number}", size_bytes=7))
            for number in range(MANY)
        ]
        outcomes = await at_once(calls)
        assert sum(not isinstance(outcome, OverQuota) for outcome in outcomes) == 14
        used, reserved = await shared.usage(home)
        assert used + reserved == 98
        # Two bytes are left, so exactly two of these calls, each for one byte, succeed.
        last: list[Awaitable[object]] = [shared.issue(home, f"{round_}/last/{number}", 1) for number in range(MANY)]
        last += [
            shared.create(home, shared.document(home, path=f"{round_}/last/free/{number}", size_bytes=1))
            for number in range(MANY)
        ]
        outcomes = await at_once(last)
        assert sum(not isinstance(outcome, OverQuota) for outcome in outcomes) == 2
        assert sum(await shared.usage(home)) == 100


async def test_of_a_create_a_settlement_and_a_condemnation_of_one_path_at_once_one_wins(shared: Records) -> None:
    home = await shared.workspace(quota_bytes=10**9)
    names = [f"{number}" for number in range(MANY)]
    # Only some were issued: the other paths are free.
    await at_once(shared.issue(home, name, 7) for name in names[MANY // 4 :])
    shared.clock.advance(hours=2)
    calls: list[Awaitable[object]] = []
    for name in names:
        path = shared.path(home, name)
        calls += [
            shared.create(home, shared.document(home, path=name, size_bytes=5)),
            shared.settle(home, {path: None}) if int(name) >= MANY // 2 else shared.condemn(home, path),
        ]
    outcomes = (await at_once(calls))[0::2]
    states = await shared.states(home, *(shared.path(home, name) for name in names))
    for created, state in zip(outcomes, states, strict=True):
        if isinstance(created, Created):
            assert state is PathState.RECORDED
        else:
            assert (created, state) == (PathTaken(None), PathState.CONDEMNED)
    # Each reservation was released exactly once.
    assert await shared.usage(home) == (5 * states.count(PathState.RECORDED), 0)


async def test_the_reserved_sum_stays_exact_while_one_path_is_reserved_repeatedly(shared: Records) -> None:
    home = await shared.workspace(quota_bytes=10**9)
    await at_once(shared.reserve(home, f"{number % 4}", number) for number in range(MANY))
    shared.clock.advance(hours=2)
    reserved = {upload.path: upload.reserved_bytes for upload in await shared.overdue(home)}
    assert await shared.usage(home) == (0, sum(reserved.values()))
    await at_once(shared.settle(home, {path: None}) for path in [*reserved] * 10)
    assert await shared.usage(home) == (0, 0)
