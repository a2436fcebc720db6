"""API keys: created, listed and revoked by callers with admin:api_keys.

Names, pages, receipts and the last administrator are proven in tests/contracts/test_api_keys.py.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission, api_key_digest, is_wellformed_api_key
from domain.errors import DuplicateName, IdempotencyMismatch, InsufficientPermissions, Invalid, LastAdminKey
from domain.pages import Page
from domain.rate_limits import Tier
from domain.use_cases.api_keys import NewApiKey
from ports.queries import Usage
from tests.domain.world import World

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
READ = {"name": "CI", "permissions": ["read:documents"]}


async def create(world: World, caller: Caller, key: str | None = None, **changes: object) -> NewApiKey:
    return await world.create_api_key(caller, READ | changes, key)


async def test_a_new_api_key_is_admitted_with_the_properties_it_was_created_with(world: World, caller: Caller) -> None:
    expires_at = "2026-04-17T13:45:00+02:00"
    new = await create(world, caller, description="Zeile 1\nZeile 2", rate_limit_tier="high", expires_at=expires_at)
    assert is_wellformed_api_key(new.secret)
    assert (new.key.prefix, new.key.digest) == (new.secret[:8], api_key_digest(new.secret))
    assert (new.key.description, new.key.tier) == ("Zeile 1\nZeile 2", Tier.HIGH)
    assert new.key.expires_at == datetime(2026, 4, 17, 11, 45, tzinfo=UTC)
    admitted = (await world.admit_request(new.secret, "203.0.113.1", "req_1")).caller
    assert (admitted.workspace_id, admitted.user_id) == (caller.workspace_id, caller.user_id)
    assert admitted.permissions == {Permission.READ_DOCUMENTS}
    for absent in ({}, {"description": None, "rate_limit_tier": None, "expires_at": None}):
        key = (await create(world, caller, name=f"k{len(absent)}", **absent)).key
        assert (key.description, key.tier, key.expires_at) == (None, Tier.STANDARD, None)


@given(granted=st.sets(st.sampled_from(Permission), min_size=1), owned=st.sets(st.sampled_from(Permission)))
async def test_a_caller_cannot_grant_a_permission_it_lacks(granted: set[Permission], owned: set[Permission]) -> None:
    world = World()
    caller = replace(await world.caller(), permissions=frozenset(owned | {Permission.ADMIN_API_KEYS}))
    lacking = granted - caller.permissions
    if not lacking:
        assert (await create(world, caller, permissions=sorted(granted))).key.permissions == granted
        return
    with pytest.raises(InsufficientPermissions) as refused:
        await create(world, caller, permissions=sorted(granted))
    assert refused.value.permission == min(lacking)
    assert await world.keys.all() == []


async def test_a_name_that_is_taken_and_revoking_the_last_administrator_are_refused(
    world: World, caller: Caller
) -> None:
    admin = await create(world, caller, permissions=["admin:api_keys"])
    with pytest.raises(DuplicateName):
        await create(world, caller)
    with pytest.raises(LastAdminKey):
        await world.revoke_api_key(caller, admin.key.id, None)


async def test_a_retry_is_replayed_even_after_the_api_key_has_expired(world: World, caller: Caller) -> None:
    first = await create(world, caller, KEY, expires_at="2026-04-17T10:45:01Z")
    world.clock.advance(seconds=1)
    assert await create(world, caller, KEY, expires_at="2026-04-17T10:45:01Z") == replace(first, replayed=True)
    with pytest.raises(IdempotencyMismatch):
        await create(world, caller, KEY, expires_at="2026-04-17T10:45:00Z")
    with pytest.raises(Invalid):
        await create(world, caller, None, expires_at="2026-04-17T10:45:01Z")


async def test_revoked_api_keys_are_listed_only_on_request_by_name_and_page(world: World, caller: Caller) -> None:
    kept = await create(world, caller, name="kept")
    revoked = await create(world, caller, name="revoked")
    await world.revoke_api_key(caller, revoked.key.id, None)
    query = {"search": "E", "page": "1", "per_page": "1"}
    active = await world.list_api_keys(caller, query)
    assert (list(active.keys), active.total, active.page) == ([kept.key], 1, Page(1, 1))
    every = await world.list_api_keys(caller, {**query, "include_revoked": "1", "page": "2"})
    assert (list(every.keys), every.total) == ([kept.key], 2)
    assert (await world.list_api_keys(caller, {"search": "x"})).total == 0


async def test_usage_is_that_of_the_workspace(world: World, caller: Caller) -> None:
    await world.record(caller, b"12345")
    assert await world.get_usage(caller) == Usage(used_bytes=5, quota_bytes=1000, documents=1)
