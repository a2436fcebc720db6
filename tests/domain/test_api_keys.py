"""API keys made, listed and revoked by those who may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission, api_key_digest, is_wellformed_api_key
from domain.errors import (
    DuplicateName,
    IdempotencyMismatch,
    InsufficientPermissions,
    Invalid,
    InvalidKey,
    LastAdminKey,
    NotFound,
)
from domain.ids import ApiKeyId
from domain.rate_limits import Plan, Tier
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, NewApiKey, RevokeApiKey
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World, members

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
READ = {"name": "CI", "permissions": ["read:documents"]}


async def made(world: World, caller: Caller, key: str | None = None, **changes: object) -> NewApiKey:
    return await world.create_api_key(caller, READ | changes, key)


async def names(world: World, caller: Caller, **query: str) -> list[str]:
    return [key.name for key in (await world.list_api_keys(caller, query)).keys]


async def an_admin(world: World) -> tuple[Caller, NewApiKey]:
    """Somebody whose own key is kept, and so is the workspace's only admin."""
    caller = await world.caller()
    minted = await world.mint_api_key(workspace=caller.workspace_id, name="admin", granted=list(Permission))
    caller = replace(caller, key_id=minted.key.id)
    return caller, NewApiKey(minted.key, minted.secret, replayed=False)


async def test_a_new_key_is_admitted_as_what_it_was_made(world: World) -> None:
    caller = await world.caller()
    new = await made(world, caller, description="Zeile 1\nZeile 2", rate_limit_tier="high")
    assert is_wellformed_api_key(new.secret)
    assert (new.key.prefix, new.key.digest) == (new.secret[:8], api_key_digest(new.secret))
    assert (new.key.description, new.key.tier) == ("Zeile 1\nZeile 2", Tier.HIGH)
    admitted = (await world.admit_request(new.secret, "203.0.113.1", "req_1")).caller
    assert (admitted.workspace_id, admitted.user_id) == (caller.workspace_id, caller.user_id)
    assert admitted.permissions == {Permission.READ_DOCUMENTS}


async def test_what_is_left_out_is_standard_without_end_and_without_description(world: World) -> None:
    caller = await world.caller()
    for absent in ({}, {"description": None, "rate_limit_tier": None, "expires_at": None}):
        key = (await made(world, caller, name=f"k{len(absent)}", **absent)).key
        assert (key.description, key.tier, key.expires_at) == (None, Tier.STANDARD, None)


async def test_a_key_expires_at_its_time_in_any_offset(world: World) -> None:
    new = await made(world, await world.caller(), expires_at="2026-04-17T13:45:00+02:00")
    assert new.key.expires_at == datetime(2026, 4, 17, 11, 45, tzinfo=UTC)
    await world.admit_request(new.secret, "203.0.113.1", "req_1")
    world.clock.advance(hours=1)
    with pytest.raises(InvalidKey):
        await world.admit_request(new.secret, "203.0.113.1", "req_1")


WRONG: dict[str, tuple[object, ...]] = {
    "name": (None, "", " ", "x" * 121, 5, "a\nb"),
    "permissions": (None, [], "read:documents", ["read:*"], [5], [["read:documents"]], {}),
    "description": (5, "x" * 4097, "\0"),
    "rate_limit_tier": ("", "High", 5, [], "unlimited"),
    "expires_at": (
        *("", "now", "20270101", "2027-01-01", "2027-01-01T00:00:00", 5),
        *("2026-04-17T10:45:00Z", "2027-02-30T00:00:00Z", "9999-12-31T23:59:59-01:00"),
    ),
    "scope": ("all",),
}


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, values in WRONG.items() for value in values])
async def test_a_wrong_member_is_named_and_nothing_is_made(world: World, member: str, value: object) -> None:
    caller = await world.caller()
    with pytest.raises(Invalid) as refused:
        await world.create_api_key(caller, READ | {member: value}, None)
    assert set(refused.value.fields) == {member}
    assert await world.keys.all() == []


@given(granted=st.sets(st.sampled_from(Permission), min_size=1), owned=st.sets(st.sampled_from(Permission)))
async def test_nobody_grants_what_they_lack(granted: set[Permission], owned: set[Permission]) -> None:
    world = World()
    caller = replace(await world.caller(), permissions=frozenset(owned | {Permission.ADMIN_API_KEYS}))
    lacking = granted - caller.permissions
    if not lacking:
        assert (await made(world, caller, permissions=sorted(granted))).key.permissions == granted
        return
    with pytest.raises(InsufficientPermissions) as refused:
        await made(world, caller, permissions=sorted(granted))
    assert refused.value.permission == min(lacking)
    assert await world.keys.all() == []


async def test_an_active_key_keeps_its_name_and_a_revoked_or_expired_one_gives_it_back(world: World) -> None:
    caller, _ = await an_admin(world)
    first = await made(world, caller)
    with pytest.raises(DuplicateName):
        await made(world, caller, permissions=["write:documents"])
    await made(world, await world.caller())
    await world.revoke_api_key(caller, first.key.id, None)
    await made(world, caller, expires_at="2026-04-17T10:46:00Z")
    with pytest.raises(DuplicateName):
        await made(world, caller)
    world.clock.advance(minutes=1)
    await made(world, caller)


async def test_a_retry_gets_the_same_key_and_makes_none(world: World) -> None:
    caller = await world.caller()
    first = await made(world, caller, KEY, name="Ü")
    world.clock.advance(hours=23)
    again = await made(world, caller, KEY, name="Ü")
    assert again == replace(first, replayed=True)
    assert len(await world.keys.all()) == 1


async def test_a_retry_gets_its_key_even_after_the_time_it_asked_for(world: World) -> None:
    caller = await world.caller()
    first = await made(world, caller, KEY, expires_at="2026-04-17T10:45:01Z")
    world.clock.advance(seconds=1)
    assert await made(world, caller, KEY, expires_at="2026-04-17T10:45:01Z") == replace(first, replayed=True)
    with pytest.raises(IdempotencyMismatch):
        await made(world, caller, KEY, expires_at="2026-04-17T10:45:00Z")
    with pytest.raises(Invalid):
        await made(world, caller, None, expires_at="2026-04-17T10:45:01Z")


async def test_a_retry_gets_its_key_even_after_it_was_revoked(world: World) -> None:
    caller, _ = await an_admin(world)
    first = await made(world, caller, KEY)
    await world.revoke_api_key(caller, first.key.id, None)
    assert await made(world, caller, KEY) == replace(first, replayed=True)


async def test_an_idempotency_key_is_used_for_one_request_of_whatever_kind(world: World) -> None:
    caller, _ = await an_admin(world)
    new = await made(world, caller, KEY)
    document = members(await world.upload(caller))
    for other in (
        made(world, caller, KEY, name="another"),
        world.revoke_api_key(caller, new.key.id, KEY),
        world.create_document(caller, document, KEY),
    ):
        with pytest.raises(IdempotencyMismatch):
            await other
    # Another workspace's is another.
    assert not (await made(world, await world.caller(), KEY)).replayed


async def test_a_refused_request_leaves_its_idempotency_key_free(world: World) -> None:
    caller, _ = await an_admin(world)
    await made(world, caller)
    with pytest.raises(DuplicateName):
        await made(world, caller, KEY)
    assert not (await made(world, caller, KEY, name="another")).replayed


async def test_keys_are_listed_newest_first_in_pages_with_their_number(world: World) -> None:
    caller = await world.caller()
    for number in range(5):
        await made(world, caller, name=f"k{number}")
    await made(world, await world.caller(), name="another workspace's")
    assert await names(world, caller, per_page="2") == ["k4", "k3"]
    assert await names(world, caller, page="3", per_page="2") == ["k0"]
    beyond = await world.list_api_keys(caller, {"page": "4", "per_page": "2"})
    assert (list(beyond.keys), beyond.total, beyond.page.number) == ([], 5, 4)


async def test_search_takes_every_character_for_itself_and_no_letter_case(world: World) -> None:
    caller = await world.caller()
    for name in ("Straße", "100%", "a_b", "aXb"):
        await made(world, caller, name=name)
    assert await names(world, caller, search="STRASSE") == ["Straße"]
    assert await names(world, caller, search="%") == ["100%"]
    assert await names(world, caller, search="_") == ["a_b"]
    assert await names(world, caller, search="A") == ["aXb", "a_b", "Straße"]


async def test_revoked_keys_are_listed_when_they_are_asked_for_and_expired_ones_always(world: World) -> None:
    caller, _ = await an_admin(world)
    gone = await made(world, caller, name="revoked")
    await made(world, caller, name="expired", expires_at="2026-04-17T10:45:01Z")
    await world.revoke_api_key(caller, gone.key.id, None)
    world.clock.advance(seconds=1)
    assert await names(world, caller) == ["expired", "admin"]
    assert await names(world, caller, include_revoked="1") == ["expired", "revoked", "admin"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("page", value) for value in ("", "0", "-1", "1.0", "x", "9" * 30, "٣")],
        *[("per_page", value) for value in ("0", "101", "+1", " 1")],
        *[("include_revoked", value) for value in ("", "yes", "TRUE", "2")],
    ],
)
async def test_a_malformed_parameter_is_named(world: World, name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        await world.list_api_keys(await world.caller(), {name: value})
    assert set(refused.value.fields) == {name}


async def test_a_revoked_key_opens_nothing_and_stays_revoked(world: World) -> None:
    caller, _ = await an_admin(world)
    new = await made(world, caller)
    at = world.clock()
    assert await world.revoke_api_key(caller, new.key.id, KEY) is False
    with pytest.raises(InvalidKey):
        await world.admit_request(new.secret, "203.0.113.1", "req_1")
    world.clock.advance(hours=1)
    assert await world.revoke_api_key(caller, new.key.id, KEY) is True
    assert await world.revoke_api_key(caller, new.key.id, None) is False
    kept = await world.keys.get(new.key.id)
    assert kept is not None
    assert kept.revoked_at == at


async def test_the_last_active_admin_stays_and_any_other_may_go(world: World) -> None:
    caller, own = await an_admin(world)
    reader = await made(world, caller, name="reader")
    await made(world, caller, name="soon", permissions=["admin:api_keys"], expires_at="2026-04-17T10:46:00Z")
    await world.revoke_api_key(caller, reader.key.id, None)
    world.clock.advance(minutes=1)
    with pytest.raises(LastAdminKey):
        await world.revoke_api_key(caller, own.key.id, KEY)
    successor = await made(world, caller, name="next", permissions=["admin:api_keys"])
    await world.revoke_api_key(caller, own.key.id, KEY)
    with pytest.raises(LastAdminKey):
        await world.revoke_api_key(caller, successor.key.id, None)


async def test_a_foreign_an_absent_and_a_malformed_id_are_not_found(world: World) -> None:
    caller, _ = await an_admin(world)
    theirs = await made(world, await world.caller())
    absent = ApiKeyId("key_" + world.new_id(world.clock()))
    for id_ in (theirs.key.id, absent, *(id_.replace("doc_", "key_") for id_ in MALFORMED_IDS)):
        with pytest.raises(NotFound):
            await world.revoke_api_key(caller, id_, None)
    kept = await world.keys.get(theirs.key.id)
    assert kept is not None
    assert kept.revoked_at is None


async def test_without_the_permission_nothing_is_asked_of_anybody(world: World) -> None:
    others = frozenset(Permission) - {Permission.ADMIN_API_KEYS}
    caller = replace(await world.caller(), permissions=others)
    create = CreateApiKey(
        keys=NEVER_ASKED, sealing=NEVER_ASKED, now=NEVER_ASKED, new_id=NEVER_ASKED, new_secret=NEVER_ASKED
    )
    for call in (
        create(caller, {}, None),
        ListApiKeys(keys=NEVER_ASKED)(caller, {}),
        RevokeApiKey(keys=NEVER_ASKED, lookup=NEVER_ASKED, now=NEVER_ASKED)(caller, "key_1", None),
    ):
        with pytest.raises(InsufficientPermissions):
            await call


async def test_usage_is_that_of_the_workspace_and_needs_read_documents(world: World) -> None:
    caller = await world.caller(quota_bytes=100)
    await world.record(caller, b"12345")
    usage = await world.get_usage(caller)
    assert (usage.used_bytes, usage.quota_bytes, usage.documents) == (5, 100, 1)
    writer = replace(caller, permissions=frozenset(Permission) - {Permission.READ_DOCUMENTS})
    with pytest.raises(InsufficientPermissions):
        await world.get_usage(writer)


async def test_an_operator_is_held_to_names_too_but_may_revoke_the_last_key(world: World) -> None:
    home = await world.workspace(plan=Plan.STARTER)
    minted = await world.mint_api_key(workspace=home.id, name="CI", granted=list(Permission))
    with pytest.raises(DuplicateName):
        await world.mint_api_key(workspace=home.id, name="CI", granted=["read:documents"])
    world.clock.advance(seconds=1)
    await world.keys.revoke(home.id, minted.key.id, world.clock(), None)
    kept = await world.keys.get(minted.key.id)
    assert kept is not None
    assert kept.revoked_at == minted.key.created_at + timedelta(seconds=1)
