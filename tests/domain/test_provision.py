"""What operators do: create and change workspaces, and create API keys."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Permission, api_key_digest, is_wellformed_api_key
from domain.errors import Invalid
from domain.ids import parse_user_id, parse_workspace_id
from domain.rate_limits import Plan, Tier
from ports.api_keys import ApiKeyFound
from ports.queries import Usage
from tests.domain.world import World

READ = ["read:documents"]
NO_WORKSPACES = {
    "empty": "",
    "a name": "Acme",
    "a prefix": "ws_",
    "malformed": "ws_01hy0000000000000000000000",
    "unknown": "ws_01HY0000000000000000000000",
}


async def test_a_new_workspace_is_stored_and_uses_nothing_of_its_quota(world: World) -> None:
    made = await world.create_workspace("Acme", Plan.PRO, 10**12)
    assert (made.name, made.plan, made.quota_bytes, made.created_at) == ("Acme", Plan.PRO, 10**12, world.clock())
    assert await world.workspaces.get(made.id) == made
    assert await world.documents.usage(made.id) == Usage(used_bytes=0, quota_bytes=10**12, documents=0)


async def test_a_workspace_and_its_owner_get_ids_of_their_own(world: World) -> None:
    one, other = await world.workspace(), await world.workspace()
    assert parse_workspace_id(one.id)
    assert parse_user_id(one.owner_id)
    assert len({one.id, other.id, one.owner_id, other.owner_id}) == 4


async def test_every_invalid_value_of_a_workspace_is_named_and_nothing_is_stored(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.create_workspace(" ", Plan.PRO, -1)
    assert set(refused.value.fields) == {"name", "quota"}
    assert await world.workspaces.all() == []


@pytest.mark.parametrize(
    ("plan", "quota_bytes"),
    [(Plan.ORG, 7), (Plan.ORG, None), (None, 7), (None, 0), (None, 2**63 - 1), (None, None)],
    ids=str,
)
async def test_plan_and_quota_change_unless_they_are_none(
    world: World, plan: Plan | None, quota_bytes: int | None
) -> None:
    home, other = await world.workspace(), await world.workspace()
    changed = await world.update_workspace(home.id, plan=plan, quota_bytes=quota_bytes)
    assert changed == replace(
        home,
        plan=home.plan if plan is None else plan,
        quota_bytes=home.quota_bytes if quota_bytes is None else quota_bytes,
    )
    assert await world.workspaces.get(home.id) == changed
    assert await world.workspaces.get(other.id) == other


@pytest.mark.parametrize("quota_bytes", [-1, 2**63])
async def test_a_quota_out_of_range_changes_nothing(world: World, quota_bytes: int) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.update_workspace(home.id, plan=Plan.ORG, quota_bytes=quota_bytes)
    assert set(refused.value.fields) == {"quota"}
    assert await world.workspaces.get(home.id) == home


@pytest.mark.parametrize("workspace", NO_WORKSPACES.values(), ids=NO_WORKSPACES)
async def test_a_missing_workspace_cannot_be_changed(world: World, workspace: str) -> None:
    await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.update_workspace(workspace, plan=Plan.ORG, quota_bytes=None)
    assert set(refused.value.fields) == {"workspace"}


async def test_an_api_key_is_stored_by_its_digest_and_without_its_secret(world: World) -> None:
    home = await world.workspace()
    minted = await world.mint_api_key(workspace=home.id, name="CI", granted=[*READ, "write:documents"])
    assert is_wellformed_api_key(minted.secret)
    assert minted.key.digest == api_key_digest(minted.secret)
    assert minted.secret not in repr(minted.key)
    assert await world.ports.api_key_lookup.find(api_key_digest(minted.secret)) == ApiKeyFound(minted.key, home.plan)


async def test_an_api_key_has_the_requested_properties(world: World) -> None:
    home, end = await world.workspace(), world.clock() + timedelta(days=30)
    user = "usr_01HY0000000000000000000000"
    minted = await world.mint_api_key(
        workspace=home.id, name="CI", granted=READ, user=user, tier=Tier.HIGH, expires_at=end
    )
    key = minted.key
    assert key.id.startswith("key_")
    assert (key.workspace_id, key.user_id, key.name) == (home.id, user, "CI")
    assert key.permissions == {Permission.READ_DOCUMENTS}
    assert key.tier is Tier.HIGH
    assert (key.created_at, key.expires_at, key.revoked_at) == (world.clock(), end, None)


async def test_by_default_an_api_key_acts_as_the_owner_is_standard_and_never_expires(world: World) -> None:
    home = await world.workspace()
    key = (await world.mint_api_key(workspace=home.id, name="CI", granted=READ)).key
    assert (key.user_id, key.tier, key.expires_at) == (home.owner_id, Tier.STANDARD, None)


@pytest.mark.parametrize("workspace", NO_WORKSPACES.values(), ids=NO_WORKSPACES)
async def test_an_api_key_needs_an_existing_workspace(world: World, workspace: str) -> None:
    await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(workspace=workspace, name="CI", granted=READ)
    assert set(refused.value.fields) == {"workspace"}
    assert await world.keys.all() == []


async def test_every_invalid_value_of_an_api_key_is_named_and_nothing_is_stored(world: World) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(workspace=home.id, name="", granted=["read:*"], user="me")
    assert set(refused.value.fields) == {"name", "permission", "user"}
    assert await world.keys.all() == []


@pytest.mark.parametrize("user", ["", "me", "usr_", "ws_01HY0000000000000000000000"])
async def test_a_malformed_user_id_is_named(world: World, user: str) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(workspace=home.id, name="CI", granted=READ, user=user)
    assert set(refused.value.fields) == {"user"}


@pytest.mark.parametrize("granted", [[], ["everything"], "read:documents"], ids=repr)
async def test_an_api_key_needs_a_known_permission(world: World, granted: list[str]) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(workspace=home.id, name="CI", granted=granted)
    assert set(refused.value.fields) == {"permission"}


@pytest.mark.parametrize("ago", [timedelta(), timedelta(microseconds=1), timedelta(days=1)], ids=str)
async def test_an_api_key_must_expire_in_the_future(world: World, ago: timedelta) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_api_key(workspace=home.id, name="CI", granted=READ, expires_at=world.clock() - ago)
    assert set(refused.value.fields) == {"expires_at"}
    assert await world.keys.all() == []
