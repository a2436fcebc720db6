"""What `ApiKeys` and `Workspaces` promise, on every adapter."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from domain.access import ApiKey, Permission, Workspace, api_key_digest
from domain.ids import ApiKeyId, WorkspaceId
from domain.pages import Page
from domain.rate_limits import Plan, Tier
from ports.api_keys import (
    ApiKeyAdded,
    ApiKeyFound,
    ApiKeyNameTaken,
    ApiKeyReplayed,
    ApiKeyRevoked,
    ApiKeyUse,
    LastAdminApiKey,
    NoSuchApiKey,
)
from ports.outcomes import Created, IdempotencyKeyReused
from tests.contracts.records import Records

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ALL = Page(1, 100)


def a_key(records: Records, workspace: Workspace, name: str = "", *permissions: Permission) -> ApiKey:
    at = records.clock()
    id_ = ApiKeyId("key_" + records.new_id(at))
    return ApiKey(
        id=id_,
        workspace_id=workspace.id,
        user_id=workspace.owner_id,
        name=name or f"Ümlaut \N{GRINNING FACE} {id_}",
        description="Zeile 1\nZeile 2",
        prefix="wbk_1234",
        digest=api_key_digest(id_),
        permissions=frozenset(permissions) or frozenset({Permission.READ_DOCUMENTS, Permission.WRITE_DOCUMENTS}),
        tier=Tier.HIGH,
        created_at=at,
        expires_at=at + timedelta(days=1),
        revoked_at=None,
    )


async def added(records: Records, workspace: Workspace, name: str = "", *permissions: Permission) -> ApiKey:
    key = a_key(records, workspace, name, *permissions)
    assert await records.keys.add(key) == ApiKeyAdded()
    return key


async def names(records: Records, workspace: Workspace, text: str = "", *, revoked: bool = False) -> list[str]:
    found = await records.keys.search(workspace.id, text, ALL, include_revoked=revoked)
    assert found.total == len(found.keys)
    return [key.name for key in found.keys]


async def test_a_key_is_found_by_its_digest_with_the_plan_of_its_workspace(records: Records) -> None:
    key = await added(records, await records.workspace())
    assert await records.key_lookup.find(key.digest) == ApiKeyFound(key, Plan.PRO)
    assert await records.keys.get(key.id) == key
    assert await records.key_lookup.find(api_key_digest("another")) is None


async def test_a_revoked_key_is_found_as_revoked_and_keeps_the_first_time(records: Records) -> None:
    home = await records.workspace()
    key = await added(records, home)
    revoked_at = records.clock()
    assert await records.keys.revoke(home.id, key.id, revoked_at, None) == ApiKeyRevoked()
    records.clock.advance(hours=1)
    assert await records.keys.revoke(home.id, key.id, records.clock(), records.intent(home)) == ApiKeyRevoked()
    assert await records.key_lookup.find(key.digest) == ApiKeyFound(replace(key, revoked_at=revoked_at), Plan.PRO)


async def test_revoking_an_unknown_or_foreign_key_says_so_and_changes_nothing(records: Records) -> None:
    home, other = await records.workspace(), await records.workspace()
    theirs = await added(records, other)
    for id_ in (ApiKeyId("key_" + records.new_id(records.clock())), theirs.id):
        assert await records.keys.revoke(home.id, id_, records.clock(), records.intent(home)) == NoSuchApiKey()
        assert await records.keys.revoke(home.id, id_, records.clock(), None) == NoSuchApiKey()
    assert await records.keys.get(theirs.id) == theirs


async def test_the_same_intent_adds_one_key_and_gets_it_back_with_what_was_sealed(records: Records) -> None:
    home = await records.workspace()
    first, second = a_key(records, home, "CI"), a_key(records, home, "CI")
    intent = records.intent(home, KEY)
    assert await records.keys.add(first, intent, b"\0sealed\xff") == ApiKeyAdded()
    # Sent again by ourselves, because the answer was lost.
    assert await records.keys.add(first, intent, b"\0sealed\xff") == ApiKeyAdded()
    assert await records.keys.add(second, intent, b"other") == ApiKeyReplayed(first, b"\0sealed\xff")
    assert await records.keys.receipt(intent) == ApiKeyReplayed(first, b"\0sealed\xff")
    assert await records.keys.add(second, records.intent(home, KEY, "that")) == IdempotencyKeyReused()
    assert await records.keys.receipt(records.intent(home, KEY, "that")) == IdempotencyKeyReused()
    assert await records.keys.receipt(records.intent(home)) is None
    records.clock.advance(hours=24)
    late = a_key(records, home, "CI 2")
    assert await records.keys.add(late, records.intent(home, KEY, "that")) == ApiKeyAdded()
    assert await records.keys.get(second.id) is None


async def test_an_idempotency_key_counts_over_documents_and_keys(records: Records) -> None:
    home = await records.workspace()
    document, intent = records.document(home), records.intent(home, KEY)
    assert await records.documents.create(document, intent) == Created(document)
    add, revoke = (replace(intent, operation=name) for name in ("create_api_key", "revoke_api_key"))
    key = a_key(records, home)
    assert await records.keys.add(key, add) == IdempotencyKeyReused()
    assert await records.keys.get(key.id) is None
    kept = await added(records, home)
    assert await records.keys.revoke(home.id, kept.id, records.clock(), revoke) == IdempotencyKeyReused()
    assert await records.keys.get(kept.id) == kept


ROUNDS = 10
"""The first ones open connections; those after it meet."""


async def test_of_many_at_once_with_one_name_one_is_added(records: Records) -> None:
    for _ in range(ROUNDS):
        home, other = await records.workspace(), await records.workspace()
        keys = [a_key(records, home, "CI") for _ in range(8)]
        outcomes = await asyncio.gather(*map(records.keys.add, keys))
        assert sorted(map(str, outcomes)) == sorted(map(str, [ApiKeyAdded(), *[ApiKeyNameTaken()] * 7]))
        assert await names(records, home) == ["CI"]
        await added(records, other, "CI")


async def test_a_name_is_free_again_once_its_key_is_revoked_or_has_expired(records: Records) -> None:
    home = await records.workspace()
    first = await added(records, home, "CI")
    await records.keys.revoke(home.id, first.id, records.clock(), None)
    await added(records, home, "CI")
    assert await records.keys.add(a_key(records, home, "CI")) == ApiKeyNameTaken()
    records.clock.advance(days=1)
    await added(records, home, "CI")


async def test_of_admins_who_are_all_revoked_at_once_one_stays(records: Records) -> None:
    for _ in range(ROUNDS):
        home, at = await records.workspace(), records.clock()
        admins = [await added(records, home, "", Permission.ADMIN_API_KEYS) for _ in range(8)]
        await added(records, home)
        outcomes = await asyncio.gather(
            *(records.keys.revoke(home.id, key.id, at, records.intent(home)) for key in admins)
        )
        assert sorted(map(str, outcomes)) == sorted(map(str, [*[ApiKeyRevoked()] * 7, LastAdminApiKey()]))
        assert len(await names(records, home)) == 2
        for key in admins:
            await records.keys.revoke(home.id, key.id, at, None)
        assert len(await names(records, home)) == 1


async def test_a_revocation_is_replayed(records: Records) -> None:
    home = await records.workspace()
    key = await added(records, home)
    intent = records.intent(home, KEY)
    reported = [await records.keys.revoke(home.id, key.id, records.clock(), intent) for _ in range(2)]
    assert reported == [ApiKeyRevoked(), ApiKeyRevoked(replayed=True)]


async def test_keys_are_listed_oldest_first_for_operators(records: Records) -> None:
    home = await records.workspace()
    keys = [a_key(records, home) for _ in range(3)]
    for key in reversed(keys):
        await records.keys.add(key)
    assert list(await records.keys.all(home.id)) == keys
    everybodys = [key for key in await records.keys.all() if key.workspace_id == home.id]
    assert everybodys == keys


async def test_keys_are_searched_by_name_newest_first(records: Records) -> None:
    home, other = await records.workspace(), await records.workspace()
    for name in ("Straße", "100%", "a_b", "aXb"):
        await added(records, home, name)
    gone = await added(records, home, "gone")
    await records.keys.revoke(home.id, gone.id, records.clock(), None)
    await added(records, other, "theirs")
    assert await names(records, home) == ["aXb", "a_b", "100%", "Straße"]
    assert await names(records, home, revoked=True) == ["gone", "aXb", "a_b", "100%", "Straße"]
    assert await names(records, home, "STRASSE") == ["Straße"]
    assert await names(records, home, "_") == ["a_b"]
    assert await names(records, home, "%") == ["100%"]
    assert await names(records, home, "theirs") == []


async def test_a_page_tells_how_many_there_are_even_beyond_the_end(records: Records) -> None:
    home = await records.workspace()
    keys = [await added(records, home) for _ in range(5)]
    for number, expected in ((1, keys[4:2:-1]), (3, keys[:1]), (4, [])):
        found = await records.keys.search(home.id, "", Page(number, 2), include_revoked=False)
        assert (list(found.keys), found.total) == (expected, 5)


async def test_a_use_is_kept_once_a_minute_and_only_forwards(records: Records) -> None:
    home, other = await records.workspace(), await records.workspace()
    key, unused = await added(records, home), await added(records, home)
    at = records.clock()

    async def used(seconds: float, workspace: Workspace = home) -> object:
        use = ApiKeyUse(workspace.id, key.id, at + timedelta(seconds=seconds))
        await records.keys.record_uses([use, ApiKeyUse(home.id, ApiKeyId("key_" + records.new_id(at)), at)])
        kept = await records.keys.get(key.id)
        return kept and kept.last_used_at

    assert await used(0, other) is None
    assert await used(0) == at
    assert await used(59.9) == at
    assert await used(60) == at + timedelta(minutes=1)
    assert await used(30) == at + timedelta(minutes=1)
    assert await records.keys.get(unused.id) == unused
    await records.keys.record_uses([])


async def test_a_workspace_is_read_back_as_it_was(records: Records) -> None:
    home = await records.workspace()
    assert await records.workspaces.get(home.id) == home
    assert home in await records.workspaces.all()


async def test_plan_and_quota_change_apart(records: Records) -> None:
    home = await records.workspace(quota_bytes=1000)
    richer = replace(home, quota_bytes=2000)
    assert await records.workspaces.update(home.id, None, 2000) == richer
    assert await records.workspaces.update(home.id, Plan.ORG, None) == replace(richer, plan=Plan.ORG)
    assert await records.workspaces.get(home.id) == replace(richer, plan=Plan.ORG)
    assert (await records.documents.usage(home.id)).quota_bytes == 2000


async def test_an_unknown_workspace_is_none(records: Records) -> None:
    stranger = WorkspaceId("ws_" + records.new_id(records.clock()))
    assert await records.workspaces.get(stranger) is None
    assert await records.workspaces.update(stranger, Plan.ORG, 1) is None
