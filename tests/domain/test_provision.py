"""Making workspaces and their first keys."""

from datetime import timedelta

import pytest

from domain.access import Permission, Plan, Tier, is_wellformed_key, key_digest
from domain.errors import Invalid
from domain.ids import user_id, workspace_id
from ports.documents import Usage
from ports.keys import KeyFound
from tests.domain.world import World

READ = ["read:documents"]


async def test_a_workspace_is_kept_with_nothing_used_of_its_quota(world: World) -> None:
    made = await world.create_workspace("Acme", Plan.PRO, 10**12)
    assert (made.name, made.plan, made.quota_bytes, made.created_at) == ("Acme", Plan.PRO, 10**12, world.clock())
    assert await world.workspaces.get(made.id) == made
    assert await world.documents.usage(made.id) == Usage(used_bytes=0, quota_bytes=10**12, documents=0)


async def test_a_workspace_and_its_owner_get_ids_of_their_own(world: World) -> None:
    one, other = await world.workspace(), await world.workspace()
    assert workspace_id(one.id)
    assert user_id(one.owner_id)
    assert len({one.id, other.id, one.owner_id, other.owner_id}) == 4


async def test_the_name_of_a_workspace_is_kept_in_nfc(world: World) -> None:
    assert (await world.create_workspace("Cafe\u0301", Plan.PRO, 0)).name == "Caf\xe9"


async def test_everything_wrong_with_a_workspace_is_told_and_nothing_is_kept(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.create_workspace(" ", Plan.PRO, -1)
    assert set(refused.value.fields) == {"name", "quota"}
    assert await world.workspaces.all() == []


async def test_a_key_is_found_by_its_digest_and_kept_without_its_secret(world: World) -> None:
    home = await world.workspace()
    minted = await world.mint_key(workspace=home.id, name="CI", granted=[*READ, "write:documents"])
    assert is_wellformed_key(minted.secret)
    assert minted.key.digest == key_digest(minted.secret)
    assert minted.secret not in repr(minted.key)
    assert await world.keys.find(key_digest(minted.secret)) == KeyFound(minted.key, home.plan)


async def test_a_key_is_what_was_asked_for(world: World) -> None:
    home, end = await world.workspace(), world.clock() + timedelta(days=30)
    user = "usr_01HY0000000000000000000000"
    minted = await world.mint_key(workspace=home.id, name="CI", granted=READ, user=user, tier=Tier.HIGH, expires_at=end)
    key = minted.key
    assert key.id.startswith("key_")
    assert (key.workspace_id, key.user_id, key.name) == (home.id, user, "CI")
    assert key.permissions == {Permission.READ_DOCUMENTS}
    assert key.tier is Tier.HIGH
    assert (key.created_at, key.expires_at, key.revoked_at) == (world.clock(), end, None)


async def test_the_prefix_of_a_key_is_its_first_8_characters(world: World) -> None:
    home = await world.workspace()
    minted = await world.mint_key(workspace=home.id, name="CI", granted=READ)
    assert minted.key.prefix == minted.secret[:8]


async def test_without_a_user_a_key_belongs_to_the_owner_is_standard_and_has_no_end(world: World) -> None:
    home = await world.workspace()
    key = (await world.mint_key(workspace=home.id, name="CI", granted=READ)).key
    assert (key.user_id, key.tier, key.expires_at) == (home.owner_id, Tier.STANDARD, None)


async def test_two_keys_share_nothing(world: World) -> None:
    home = await world.workspace()
    one = await world.mint_key(workspace=home.id, name="CI", granted=READ)
    other = await world.mint_key(workspace=home.id, name="CI", granted=READ)
    assert one.secret != other.secret
    assert one.key.id != other.key.id


@pytest.mark.parametrize(
    "workspace",
    ["", "Acme", "ws_", "ws_01hy0000000000000000000000", "ws_01HY0000000000000000000000"],
    ids=["empty", "a name", "a prefix", "malformed", "unknown"],
)
async def test_a_key_needs_a_workspace(world: World, workspace: str) -> None:
    await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=workspace, name="CI", granted=READ)
    assert set(refused.value.fields) == {"workspace"}
    assert await world.keys.all() == []


async def test_everything_wrong_with_a_key_is_told_and_nothing_is_kept(world: World) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=home.id, name="", granted=["read:*"], user="me")
    assert set(refused.value.fields) == {"name", "permission", "user"}
    assert await world.keys.all() == []


@pytest.mark.parametrize("user", ["", "me", "usr_", "ws_01HY0000000000000000000000"])
async def test_what_is_no_user_id_is_told(world: World, user: str) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=home.id, name="CI", granted=READ, user=user)
    assert set(refused.value.fields) == {"user"}


@pytest.mark.parametrize("granted", [[], ["everything"], "read:documents"], ids=repr)
async def test_a_key_needs_a_known_permission(world: World, granted: list[str]) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=home.id, name="CI", granted=granted)
    assert set(refused.value.fields) == {"permission"}


@pytest.mark.parametrize("ago", [timedelta(), timedelta(microseconds=1), timedelta(days=1)], ids=str)
async def test_a_key_must_end_in_the_future(world: World, ago: timedelta) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=home.id, name="CI", granted=READ, expires_at=world.clock() - ago)
    assert set(refused.value.fields) == {"expires_at"}
    assert await world.keys.all() == []


async def test_an_end_in_the_past_is_told_with_what_else_is_wrong(world: World) -> None:
    home = await world.workspace()
    with pytest.raises(Invalid) as refused:
        await world.mint_key(workspace=home.id, name="", granted=READ, expires_at=world.clock())
    assert set(refused.value.fields) == {"name", "expires_at"}
