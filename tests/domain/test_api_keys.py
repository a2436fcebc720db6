"""Callers with `admin:api_keys` create, list and revoke API keys.

tests/contracts/test_api_keys.py proves what the repository decides: that names are unique, what a page contains, what a
retry gets, and that the last API key with `admin:api_keys` of a workspace is not revoked.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.errors import (
    IdempotencyMismatch,
    InsufficientPermissions,
    Invalid,
    TierTooHigh,
)
from domain.ids import ApiKeyId, UserId
from domain.rate_limits import Tier
from domain.use_cases.api_keys import NewApiKey
from tests.domain.samples import KEY
from tests.domain.world import World

READ = {"name": "CI", "permissions": ["read:documents"]}


async def create(world: World, caller: Caller, key: str | None = None, **changes: object) -> NewApiKey:
    return await world.create_api_key(caller, READ | changes, key)


@given(granted=st.sets(st.sampled_from(Permission), min_size=1), owned=st.sets(st.sampled_from(Permission)))
async def test_a_caller_cannot_grant_a_permission_it_lacks(granted: set[Permission], owned: set[Permission]) -> None:
    world = World()
    caller = replace(await world.caller(), permissions=frozenset(owned | {Permission.ADMIN_API_KEYS}))
    lacking = granted - caller.permissions
    if not lacking:
        assert (await create(world, caller, permissions=sorted(granted))).key.permissions == granted
        return
    # Wrong members are reported first.
    with pytest.raises(Invalid, match="name "):
        await create(world, caller, permissions=sorted(granted), name="")
    with pytest.raises(InsufficientPermissions) as refused:
        await create(world, caller, permissions=sorted(granted))
    assert refused.value.permission == min(lacking)
    assert [page async for page in world.keys.pages()] == []


@pytest.mark.parametrize("wanted", Tier)
@pytest.mark.parametrize("own", Tier)
async def test_a_caller_cannot_create_an_api_key_of_a_higher_tier(world: World, own: Tier, wanted: Tier) -> None:
    caller = replace(await world.caller(), tier=own)
    if list(Tier).index(wanted) <= list(Tier).index(own):
        assert (await create(world, caller, rate_limit_tier=wanted)).key.tier == wanted
        return
    with pytest.raises(TierTooHigh, match=f"has the tier {own} "):
        await create(world, caller, rate_limit_tier=wanted)
    assert [page async for page in world.keys.pages()] == []


@pytest.mark.parametrize(
    ("own", "sent", "kept"),
    [
        *(("12:00:00", "12:00:00", "12:00:00"), ("12:00:00", "11:59:59", "11:59:59"), ("12:00:00", None, "12:00:00")),
        *(("12:00:00", "12:00:01", None), (None, "12:00:01", "12:00:01")),
    ],
)
async def test_an_api_key_expires_no_later_than_its_creator(
    world: World, own: str | None, sent: str | None, kept: str | None
) -> None:
    def at(time: str | None) -> datetime | None:
        return None if time is None else datetime.fromisoformat(f"2026-04-18T{time}+00:00")

    caller = replace(await world.caller(), expires_at=at(own))
    members = {} if sent is None else {"expires_at": f"2026-04-18T{sent}Z"}
    if kept is not None:
        assert (await create(world, caller, **members)).key.expires_at == at(kept)
        return
    with pytest.raises(Invalid) as refused:
        await create(world, caller, **members)
    why = "must not be after 2026-04-18T12:00:00Z, when your own API key expires; leave it out for that time"
    assert refused.value.fields == {"expires_at": why}
    assert [page async for page in world.keys.pages()] == []


async def test_an_api_key_is_replayed_only_to_callers_who_could_have_created_it(world: World) -> None:
    caller = await world.caller()
    first = await create(world, caller, KEY)
    end = world.clock() + timedelta(days=1)
    for other in (replace(caller, user_id=UserId("usr_" + "0" * 26)), replace(caller, expires_at=end)):
        with pytest.raises(IdempotencyMismatch):
            await create(world, other, KEY)
    with pytest.raises(InsufficientPermissions):
        await create(world, replace(caller, permissions=frozenset({Permission.ADMIN_API_KEYS})), KEY)
    colleague = replace(caller, key_id=ApiKeyId("key_" + "0" * 26))
    assert await create(world, colleague, KEY) == replace(first, replayed=True)


async def test_an_api_key_stays_active_when_its_creator_is_revoked(world: World, caller: Caller) -> None:
    own = await create(world, caller, name="own", permissions=["admin:api_keys"])
    creator = replace(caller, key_id=own.key.id)
    successor = await create(world, creator, permissions=["admin:api_keys"])
    await world.revoke_api_key(creator, own.key.id, None)
    await world.admit_request(successor.secret, "203.0.113.1", "req_1")


async def test_a_retry_is_replayed_even_after_the_api_key_has_expired(world: World, caller: Caller) -> None:
    first = await create(world, caller, KEY, expires_at="2026-04-17T10:45:01Z")
    world.clock.advance(seconds=1)
    assert await create(world, caller, KEY, expires_at="2026-04-17T10:45:01Z") == replace(first, replayed=True)
    with pytest.raises(IdempotencyMismatch):
        await create(world, caller, KEY, expires_at="2026-04-17T10:45:00Z")
    with pytest.raises(Invalid):
        await create(world, caller, None, expires_at="2026-04-17T10:45:01Z")
