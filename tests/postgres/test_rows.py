"""The rows of writes that the port does not show."""

import json
from datetime import timedelta
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from tests.contracts.records import Records, only


async def events(database: Database, home: Workspace) -> list[Any]:
    """Return the events of a workspace, in the order of commits."""
    return list(await database.fetch("SELECT * FROM events WHERE workspace_id = $1 ORDER BY seq", to_uuid(home.id)))


async def test_every_change_is_an_event_in_the_order_of_commits(database: Database, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b")
    link = await records.linked_to(home, document)
    # The same link, an empty patch, a patch with the present values, and refusals change nothing.
    await records.linked_to(home, document)
    await records.patch(home, document.id)
    await records.patch(home, document.id, **{name: getattr(document, name) for name in ("name", "folder", "tags")})
    await records.patch(home, document.id, only("9"), name="c")
    await records.delete(home, document.id, precondition=only("9"))
    await records.delete_folder(home, "/a")
    await records.move(home, "/a/b", "/a")
    await records.patch(home, document.id, name="b.pdf", tags=("x",))
    await records.move(home, "/a", "/z")
    await records.remove_link(home, document.id, link.id)
    await records.delete(home, document.id)
    await records.delete_folder(home, "/z")
    found = await events(database, home)
    assert [(event["seq"], event["kind"]) for event in found] == [
        (1, "document.created"),
        (2, "document.linked"),
        (3, "document.changed"),
        (4, "folder.moved"),
        (5, "document.unlinked"),
        (6, "document.deleted"),
        (7, "folder.deleted"),
    ]
    assert [event["document_id"] for event in found].count(to_uuid(document.id)) == 5
    assert {event["request_id"] for event in found} == {"req_1"}
    assert json.loads(found[2]["data"]) == {"members": ["name", "tags"]}
    assert json.loads(found[3]["data"]) == {"from": "/a", "to": "/z"}
    assert json.loads(found[5]["data"]) == {"storage_path": document.storage_path, "size_bytes": 10}


async def test_every_change_of_an_api_key_is_an_event_of_its_caller(database: Database, records: Records) -> None:
    home = await records.workspace()
    key, intent = records.api_key(home), records.intent(home)
    await records.api_keys.add(key, intent)
    # The operator revokes it, and the second time nothing changes.
    for _ in range(2):
        await records.api_keys.revoke(home.id, key.id, records.clock(), None)
    found = await events(database, home)
    caller = to_uuid(intent.caller.key_id)
    assert [(row["kind"], row["key_id"]) for row in found] == [("api_key.created", caller), ("api_key.revoked", None)]
    assert {json.loads(row["data"])["api_key_id"] for row in found} == {str(to_uuid(key.id))}


async def test_the_receipt_of_a_patch_without_an_idempotency_key_holds_no_copy_and_expires_after_minutes(
    database: Database, records: Records
) -> None:
    # Delete the receipts of other tests, whose clocks may be far ahead.
    await records.retention.delete_expired_receipts(records.clock() + timedelta(days=1000))
    home = await records.workspace()
    document = await records.recorded(home)
    await records.patch(home, document.id, name="b.pdf")
    [receipt] = await database.fetch("SELECT facts FROM receipts WHERE workspace_id = $1", to_uuid(home.id))
    facts = json.loads(receipt["facts"])
    assert (facts.keys(), facts["revision"]) == ({"attempt", "revision"}, 2)
    records.clock.advance(minutes=6)
    assert await records.retention.delete_expired_receipts(records.clock()) == 1
