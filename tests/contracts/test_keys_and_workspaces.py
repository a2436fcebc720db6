"""What `ApiKeys` and `Workspaces` promise, on every adapter."""

from dataclasses import replace
from datetime import timedelta

from domain.access import ApiKey, Permission, Plan, Tier, Workspace, key_digest
from domain.ids import KeyId, WorkspaceId
from ports.keys import KeyFound
from tests.contracts.records import Records


def a_key(records: Records, workspace: Workspace) -> ApiKey:
    at = records.clock()
    id_ = KeyId("key_" + records.new_id(at))
    return ApiKey(
        id=id_,
        workspace_id=workspace.id,
        user_id=workspace.owner_id,
        name="Ümlaut \N{GRINNING FACE}",
        prefix="wbk_1234",
        digest=key_digest(id_),
        permissions=frozenset({Permission.READ_DOCUMENTS, Permission.WRITE_DOCUMENTS}),
        tier=Tier.HIGH,
        created_at=at,
        expires_at=at + timedelta(days=1),
        revoked_at=None,
    )


async def test_a_key_is_found_by_its_digest_with_the_plan_of_its_workspace(records: Records) -> None:
    home = await records.workspace()
    key = a_key(records, home)
    await records.keys.add(key)
    assert await records.keys.find(key.digest) == KeyFound(key, Plan.PRO)
    assert await records.keys.find(key_digest("another")) is None


async def test_a_revoked_key_is_found_as_revoked_and_keeps_the_first_time(records: Records) -> None:
    home = await records.workspace()
    key = a_key(records, home)
    await records.keys.add(key)
    revoked_at = records.clock()
    assert await records.keys.revoke(key.id, revoked_at)
    records.clock.advance(hours=1)
    assert await records.keys.revoke(key.id, records.clock())
    assert await records.keys.find(key.digest) == KeyFound(replace(key, revoked_at=revoked_at), Plan.PRO)


async def test_revoking_an_unknown_key_says_so(records: Records) -> None:
    assert not await records.keys.revoke(KeyId("key_" + records.new_id(records.clock())), records.clock())


async def test_keys_are_listed_oldest_first(records: Records) -> None:
    home = await records.workspace()
    keys = [a_key(records, home) for _ in range(3)]
    for key in reversed(keys):
        await records.keys.add(key)
    assert list(await records.keys.all(home.id)) == keys
    everybodys = [key for key in await records.keys.all() if key.workspace_id == home.id]
    assert everybodys == keys


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
