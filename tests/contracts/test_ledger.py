"""The guarantees of `ObjectLedger`."""

from dataclasses import replace
from datetime import timedelta

from domain.paths import StoragePath
from ports.ledger import PathState
from ports.outcomes import Created, PathTaken
from tests.contracts.records import Records, new_key

HOUR = timedelta(hours=1)


async def test_a_recorded_path_is_never_condemned(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, path="a")
    a, b, c = (records.path(home, name) for name in "abc")
    assert await records.condemn(home, a, b) == [b]
    assert await records.states(home, a, b, c) == [PathState.RECORDED, PathState.CONDEMNED, None]
    assert await records.current(document) == document


async def test_only_the_versions_of_recorded_objects_are_returned(records: Records) -> None:
    home = await records.workspace()
    paths = [records.path(home, name) for name in ("versioned", "unversioned", "deleted", "condemned")]
    for path, version in zip(paths, ("v1", None, "v2"), strict=False):
        document = records.document(home, path=path.removeprefix(f"workspaces/{home.id}/"))
        document = replace(document, stored=replace(document.stored, version_id=version))
        assert await records.create(home, document) == Created(document)
        if path == paths[2]:
            await records.delete(home, document.id)
    await records.condemn(home, paths[3])
    assert await records.ledger.recorded_versions(home.id, [*paths, records.path(home, "x")]) == {paths[0]: "v1"}


async def test_a_condemned_or_gone_path_is_refused_to_every_create(records: Records) -> None:
    home = await records.workspace()
    path = records.path(home, "a")
    await records.condemn(home, path)
    for state in (PathState.CONDEMNED, PathState.GONE):
        assert await records.states(home, path) == [state]
        document = records.document(home, path="a")
        assert await records.create(home, document, new_key()) == PathTaken(None)
        await records.finalise(home, records.clock() + HOUR, path)
    assert (await records.documents.usage(home.id)).documents == 0


async def test_only_paths_condemned_before_a_time_are_finalised_and_may_be_condemned_anew(records: Records) -> None:
    home = await records.workspace()
    early, late, unknown, recorded = (records.path(home, name) for name in ("early", "late", "unknown", "recorded"))
    await records.condemn(home, early)
    records.clock.advance(hours=1)
    await records.condemn(home, early, late)
    await records.recorded(home, path="recorded")
    await records.finalise(home, records.clock(), early, late, unknown, recorded)
    states = [PathState.GONE, PathState.CONDEMNED, None, PathState.RECORDED]
    assert await records.states(home, early, late, unknown, recorded) == states
    assert await records.condemned(home) == [late]
    # A gone path is condemned anew with a new time.
    records.clock.advance(hours=1)
    assert await records.condemn(home, early) == [early]
    await records.finalise(home, records.clock(), early)
    assert await records.states(home, early) == [PathState.CONDEMNED]


async def test_every_condemned_path_of_every_workspace_is_listed_however_many_there_are(records: Records) -> None:
    homes = [await records.workspace() for _ in range(2)]
    wanted = {home.id: [records.path(home, f"{number:04}") for number in range(1500)] for home in homes}
    for home in homes:
        await records.condemn(home, *wanted[home.id])
    for home in homes:
        assert sorted(await records.condemned(home)) == wanted[home.id]


async def test_a_condemned_path_is_due_until_it_is_postponed_and_again_when_it_is_condemned_anew(
    records: Records,
) -> None:
    home = await records.workspace()
    path, other, recorded = (records.path(home, name) for name in ("a", "b", "recorded"))
    await records.recorded(home, path="recorded")
    await records.condemn(home, path, other)

    async def due() -> list[StoragePath]:
        return await records.condemned(home, due_at=records.clock())

    assert sorted(await due()) == [path, other]
    await records.ledger.postpone(home.id, [path, recorded, records.path(home, "unknown")], records.clock() + HOUR)
    assert await due() == [other]
    assert sorted(await records.condemned(home)) == [path, other]
    assert await records.states(home, recorded) == [PathState.RECORDED]
    records.clock.advance(hours=1)
    assert sorted(await due()) == [path, other]
    await records.ledger.postpone(home.id, [path], records.clock() + HOUR)
    await records.finalise(home, records.clock() + HOUR, path)
    await records.condemn(home, path)
    assert sorted(await due()) == [path, other]


async def test_only_workspaces_with_a_folder_are_listed_as_such(records: Records) -> None:
    homes = [await records.workspace() for _ in range(2)]
    await records.recorded(homes[0])
    await records.recorded(homes[1], folder="/a")
    found = [workspace async for page in records.ledger.with_folders() for workspace in page]
    assert [home.id in found for home in homes] == [False, True]


async def test_the_greatest_path_of_each_workspace_between_its_bounds_is_found(records: Records) -> None:
    homes = [await records.workspace() for _ in range(3)]
    for home in homes[:2]:
        await records.condemn(home, *(records.path(home, name) for name in ("a", "b", "c")))
    bounds = [
        (records.path(homes[0], "a"), records.path(homes[0], "c")),
        (records.path(homes[1], "c"), records.path(homes[1], "d")),
    ]
    asked = {home.id: bound for home, bound in zip(homes, [*bounds, bounds[0]], strict=True)}
    assert await records.ledger.greatest_paths(asked) == {homes[0].id: records.path(homes[0], "b")}
