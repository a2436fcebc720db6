"""The guarantees of `ApiKeys`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Permission, Workspace, api_key_digest
from domain.ids import ApiKeyId
from domain.pages import Page
from domain.rate_limits import Plan
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
from ports.outcomes import IdempotencyKeyReused
from tests.contracts.races import at_once
from tests.contracts.records import Records, new_key

ROUNDS = 5
"""The calls of the first round also open database connections; later rounds run fully at once."""


async def names(records: Records, workspace: Workspace, text: str = "", *, include_revoked: bool = False) -> list[str]:
    """Return the names of the API keys that a search finds."""
    found = await records.api_keys.search(workspace.id, text, Page(1, 100), include_revoked=include_revoked)
    assert found.total == len(found.keys)
    return [key.name for key in found.keys]


async def test_api_keys_are_found_by_their_digests_with_the_plans_of_their_workspaces(records: Records) -> None:
    key = await records.added(await records.workspace())
    other = await records.added(await records.workspace())
    found = await records.api_keys.find([other.digest, api_key_digest("another"), key.digest])
    assert sorted(found, key=lambda one: one.key.id) == [ApiKeyFound(key, Plan.PRO), ApiKeyFound(other, Plan.PRO)]
    assert await records.api_keys.get(key.id) == key


async def test_a_revoked_api_key_is_found_as_revoked_and_keeps_the_first_time(records: Records) -> None:
    home = await records.workspace()
    key, revoked_at, intent = await records.added(home), records.clock(), records.intent(home, new_key())
    unknown = ApiKeyId("key_" + records.new_id(revoked_at))
    for refused in (None, records.intent(home)):
        assert await records.api_keys.revoke(home.id, unknown, revoked_at, refused) == NoSuchApiKey()
    for again, outcome in (
        (intent, ApiKeyRevoked()),
        (intent, ApiKeyRevoked(replayed=True)),
        (None, ApiKeyRevoked()),
        (records.intent(home), ApiKeyRevoked()),
    ):
        assert await records.api_keys.revoke(home.id, key.id, records.clock(), again) == outcome
        records.clock.advance(hours=1)
    assert await records.api_keys.find([key.digest]) == [ApiKeyFound(replace(key, revoked_at=revoked_at), Plan.PRO)]


async def test_the_same_intent_adds_one_api_key_and_gets_it_back_with_its_sealed_bytes(records: Records) -> None:
    home, key = await records.workspace(), new_key()
    first, second = records.api_key(home, "CI"), records.api_key(home, "CI")
    intent, other = records.intent(home, key), records.intent(home, key, "that")
    # After a lost result, the adapter itself adds the same API key again.
    for _ in range(2):
        assert await records.api_keys.add(first, intent, b"\0sealed\xff") == ApiKeyAdded()
    assert await records.api_keys.add(second, intent, b"other") == ApiKeyReplayed(first, b"\0sealed\xff")
    assert await records.api_keys.receipt(intent) == ApiKeyReplayed(first, b"\0sealed\xff")
    assert await records.api_keys.add(second, other) == IdempotencyKeyReused()
    assert await records.api_keys.receipt(other) == IdempotencyKeyReused()
    assert await records.api_keys.receipt(records.intent(home)) is None
    records.clock.advance(hours=24)
    assert await records.api_keys.add(records.api_key(home, "CI 2"), other) == ApiKeyAdded()
    assert await records.api_keys.get(second.id) is None


async def test_a_name_is_taken_in_its_workspace_until_its_api_key_is_revoked_or_expires(records: Records) -> None:
    for _ in range(ROUNDS):
        home, other = await records.workspace(), await records.workspace()
        outcomes = await at_once(records.api_keys.add(records.api_key(home, "CI")) for _ in range(8))
        assert (outcomes.count(ApiKeyAdded()), outcomes.count(ApiKeyNameTaken())) == (1, 7)
        assert await names(records, home) == ["CI"]
        await records.added(other, "CI")
    (first,) = await records.api_keys.all(home.id)
    await records.api_keys.revoke(home.id, first.id, records.clock(), None)
    await records.added(home, "CI")
    assert await records.api_keys.add(records.api_key(home, "CI")) == ApiKeyNameTaken()
    records.clock.advance(days=1)
    await records.added(home, "CI")


async def test_of_all_admin_api_keys_revoked_at_once_one_stays_unless_an_operator_revokes_it(records: Records) -> None:
    for _ in range(ROUNDS):
        home, at = await records.workspace(), records.clock()
        admins = [await records.added(home, "", Permission.ADMIN_API_KEYS) for _ in range(8)]
        await records.added(home)
        outcomes = await at_once(records.api_keys.revoke(home.id, key.id, at, records.intent(home)) for key in admins)
        assert (outcomes.count(ApiKeyRevoked()), outcomes.count(LastAdminApiKey())) == (7, 1)
        assert len(await names(records, home)) == 2
        for key in admins:
            assert await records.api_keys.revoke(home.id, key.id, at, None) == ApiKeyRevoked()
        assert len(await names(records, home)) == 1


async def test_api_keys_are_listed_oldest_first_and_searched_by_name_newest_first(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await records.workspace()
    keys = [records.api_key(home, name) for name in ("Straße", "100%", "a_b", "aXb", "revoked")]
    for key in reversed(keys):
        await records.api_keys.add(key)
    assert list(await records.api_keys.all(home.id)) == keys
    monkeypatch.setattr("adapters.memory.api_keys.PAGE", 2)
    monkeypatch.setattr("adapters.postgres.api_keys.PAGE", 2)
    pages = [page async for page in records.api_keys.pages()]
    assert {len(page) for page in pages[:-1]} == {2}
    assert [key for page in pages for key in page if key.workspace_id == home.id] == keys
    await records.api_keys.revoke(home.id, keys[-1].id, records.clock(), None)
    assert await names(records, home) == ["aXb", "a_b", "100%", "Straße"]
    assert await names(records, home, include_revoked=True) == ["revoked", "aXb", "a_b", "100%", "Straße"]
    for text, found in (("STRASSE", ["Straße"]), ("_", ["a_b"]), ("%", ["100%"]), ("theirs", [])):
        assert await names(records, home, text) == found
    # Every page reports the total, even beyond the end.
    for number, expected in ((1, [keys[3]]), (4, [keys[0]]), (5, [])):
        page = await records.api_keys.search(home.id, "", Page(number, 1), include_revoked=False)
        assert (list(page.keys), page.total) == (expected, 4)


async def test_the_last_use_of_an_api_key_is_stored_once_a_minute_and_never_moves_back(records: Records) -> None:
    home = await records.workspace()
    key, unused = await records.added(home), await records.added(home)
    at = records.clock()

    async def last_used_after(seconds: float) -> object:
        unknown = ApiKeyUse(home.id, ApiKeyId("key_" + records.new_id(at)), at)
        await records.api_keys.record_uses([ApiKeyUse(home.id, key.id, at + timedelta(seconds=seconds)), unknown])
        found = await records.api_keys.get(key.id)
        return found and found.last_used_at

    assert await last_used_after(0) == at
    assert await last_used_after(59.9) == at
    assert await last_used_after(60) == at + timedelta(minutes=1)
    assert await last_used_after(30) == at + timedelta(minutes=1)
    assert await records.api_keys.get(unused.id) == unused
    await records.api_keys.record_uses([])
