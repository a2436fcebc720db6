"""The guarantees of `Workspaces`."""

from dataclasses import replace

from domain.rate_limits import Plan
from tests.contracts.records import Records


async def test_a_workspace_is_read_back_as_it_was_added(records: Records) -> None:
    home = await records.workspace()
    assert await records.workspaces.get(home.id) == home
    assert home in await records.workspaces.all()


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
