"""The operations of the command line: create and change workspaces, and create API keys."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import Permission, api_key_digest, is_wellformed_api_key
from domain.errors import DuplicateName, Invalid
from domain.ids import parse_user_id, parse_workspace_id
from domain.rate_limits import Plan, Tier
from ports.api_keys import ApiKeyFound
from ports.queries import Usage
from tests.clock import StillClock
from tests.domain.world import World

READ = ["read:documents"]
NO_WORKSPACES = ("", "Acme", "ws_", "ws_01hy0000000000000000000000", "ws_01HY0000000000000000000000")


async def test_a_new_workspace_is_stored_and_uses_nothing_of_its_quota(world: World) -> None:
    made = await world.create_workspace("Acme", Plan.PRO, 10**12)
    assert (made.name, made.plan, made.quota_bytes, made.created_at) == ("Acme", Plan.PRO, 10**12, world.clock())
    assert await world.workspaces.get(made.id) == made
    assert await world.documents.usage(made.id) == Usage(used_bytes=0, quota_bytes=10**12, documents=0)
    other = await world.workspace()
    assert parse_workspace_id(made.id)
    assert parse_user_id(made.owner_id)
    assert len({made.id, other.id, made.owner_id, other.owner_id}) == 4


async def test_every_invalid_value_of_a_workspace_is_named_and_nothing_is_stored(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.create_workspace(" ", Plan.PRO, -1)
    assert set(refused.value.fields) == {"name", "quota"}
    assert [page async for page in world.workspaces.pages()] == []


async def test_plan_and_quota_change_unless_they_are_none(world: World) -> None:
    home = await world.workspace(plan=Plan.STARTER)
    pro = await world.update_workspace(home.id, plan=Plan.PRO, quota_bytes=None)
    assert pro == replace(home, plan=Plan.PRO)
    assert await world.update_workspace(home.id, plan=None, quota_bytes=0) == replace(pro, quota_bytes=0)


async def test_an_invalid_quota_or_a_missing_workspace_is_named_and_nothing_is_changed(world: World) -> None:
    home = await world.workspace()
    invalid = [(home.id, -1, "quota"), (home.id, 2**63, "quota"), *((id_, 7, "workspace") for id_ in NO_WORKSPACES)]
    for workspace, quota_bytes, field in invalid:
        with pytest.raises(Invalid) as refused:
            await world.update_workspace(workspace, plan=Plan.ORG, quota_bytes=quota_bytes)
        assert set(refused.value.fields) == {field}
    assert await world.workspaces.get(home.id) == home


async def test_an_api_key_has_the_requested_properties_and_is_stored_without_its_secret(world: World) -> None:
    home, end = await world.workspace(), world.clock() + timedelta(days=30)
    user = "usr_01HY0000000000000000000000"
    minted = await world.mint_api_key(
        workspace=home.id, name="CI", granted=READ, user=user, tier=Tier.HIGH, expires_at=end
    )
    key = minted.key
    assert is_wellformed_api_key(minted.secret)
    assert minted.secret not in repr(key)
    assert key.id.startswith("key_")
    assert (key.workspace_id, key.user_id, key.name) == (home.id, user, "CI")
    assert key.permissions == {Permission.READ_DOCUMENTS}
    assert key.tier is Tier.HIGH
    assert (key.created_at, key.expires_at, key.revoked_at) == (world.clock(), end, None)
    assert await world.keys.find([api_key_digest(minted.secret)]) == [ApiKeyFound(key, home.plan)]


async def test_by_default_an_api_key_belongs_to_the_owner_and_never_expires(world: World) -> None:
    home = await world.workspace()
    key = (await world.mint_api_key(workspace=home.id, name="CI", granted=READ)).key
    assert (key.user_id, key.tier, key.expires_at) == (home.owner_id, Tier.STANDARD, None)
    with pytest.raises(DuplicateName):
        await world.mint_api_key(workspace=home.id, name="CI", granted=READ)


INVALID: list[tuple[set[str], dict[str, Any]]] = [
    *(({"workspace"}, {"workspace": workspace}) for workspace in NO_WORKSPACES),
    *(({"user"}, {"user": user}) for user in ("", "me", "ws_01HY0000000000000000000000")),
    *(({"permission"}, {"granted": granted}) for granted in ([], ["everything"], "read:documents")),
    *(({"expires_at"}, {"expires_at": StillClock()() - timedelta(microseconds=ago)}) for ago in (0, 1)),
    ({"name", "permission", "user"}, {"name": "", "granted": ["read:*"], "user": "me"}),
]


@pytest.mark.parametrize(("fields", "invalid"), INVALID, ids=str)
async def test_every_invalid_value_of_an_api_key_is_named_and_nothing_is_stored(
    world: World, fields: set[str], invalid: dict[str, Any]
) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(**{"workspace": home.id, "name": "CI", "granted": READ, **invalid})
    assert set(refused.value.fields) == fields
    assert [page async for page in world.keys.pages()] == []
