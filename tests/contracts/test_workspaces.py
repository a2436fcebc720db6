"""The guarantees of `Workspaces`."""

from dataclasses import replace

import pytest

from domain.rate_limits import Plan
from ports.api_keys import ApiKeyUse
from tests.contracts.records import Records


async def test_a_workspace_is_read_back_as_it_was_added(records: Records) -> None:
    home = await records.workspace()
    assert await records.workspaces.get(home.id) == home
    assert home in [workspace async for page in records.workspaces.pages() for workspace in page]


async def test_every_workspace_is_on_one_page_and_the_oldest_come_first(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for adapter in ("memory", "postgres"):
        monkeypatch.setattr(f"adapters.{adapter}.workspaces.PAGE", 2)
    homes = [await records.workspace() for _ in range(5)]
    pages = [page async for page in records.workspaces.pages()]
    assert {len(page) for page in pages[:-1]} == {2}
    found = [workspace.id for page in pages for workspace in page]
    assert found == sorted(set(found))
    assert {home.id for home in homes} <= {*found}


async def test_existing_returns_only_the_ids_of_workspaces(records: Records) -> None:
    homes = [(await records.workspace()).id for _ in range(2)]
    assert {*await records.workspaces.existing([*homes, records.unknown_workspace()])} == {*homes}
    assert [*await records.workspaces.existing([])] == []


async def test_the_workspaces_whose_api_keys_were_used_last_come_first(records: Records) -> None:
    # Later than every use of another test.
    records.clock.advance(days=100_000)
    unused, first, last = [await records.workspace() for _ in range(3)]
    for home in (unused, last, first, last):
        key = await records.added(home)
        if home is not unused:
            records.clock.advance(minutes=2)
            await records.api_keys.record_uses([ApiKeyUse(home.id, key.id, records.clock())])
    assert [*await records.workspaces.recently_used(2)] == [last.id, first.id]
    assert unused.id in await records.workspaces.recently_used(1_000_000)
    assert (await records.workspace()).id not in await records.workspaces.recently_used(1_000_000)


async def test_plan_and_quota_change_independently(records: Records) -> None:
    home = await records.workspace(quota_bytes=1000)
    larger = replace(home, quota_bytes=2000)
    assert await records.workspaces.update(home.id, None, 2000) == larger
    assert await records.workspaces.update(home.id, Plan.ORG, None) == replace(larger, plan=Plan.ORG)
    assert await records.workspaces.get(home.id) == replace(larger, plan=Plan.ORG)
    assert (await records.documents.usage(home.id)).quota_bytes == 2000


async def test_getting_or_updating_an_unknown_workspace_returns_none(records: Records) -> None:
    unknown = records.unknown_workspace()
    assert await records.workspaces.get(unknown) is None
    assert await records.workspaces.update(unknown, Plan.ORG, 1) is None
