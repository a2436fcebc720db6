"""A server of the former version works beside this one, on one database."""

import msgspec

from adapters.postgres.creates import to_record
from adapters.postgres.database import Database, Row
from adapters.postgres.rows import to_intent, to_json, to_uuid
from ports.ledger import PathState
from tests.contracts.records import HASHING_KEY, Records


async def test_it_finds_lists_moves_and_deletes_the_folders_of_this_version(
    records: Records, database: Database
) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b/c")
    here = to_uuid(home.id)

    async def found(folder: str, *, recursive: bool) -> int:
        wanted = to_json({"folder": folder, "recursive": recursive})
        (row,) = await database.fetch("SELECT * FROM find_documents_v2($1, $2, NULL, 0, 10, 100, 100)", here, wanted)
        total: int = row["total"]
        return total

    async def changed(call: str, *arguments: object) -> str:
        intent = to_json(to_intent(records.intent(home), records.clock(), HASHING_KEY))
        (row,) = await database.fetch(f"SELECT outcome FROM {call}", here, *arguments, records.clock(), intent)
        outcome: str = row["outcome"]
        return outcome

    assert [await found("/a", recursive=each) for each in (True, False)] == [1, 0]
    assert [await found("/a/b/c", recursive=each) for each in (True, False)] == [1, 1]
    patch = "patch_document_v2($1, $2, $3, NULL, '{}', $4, $5)"
    assert await changed(patch, to_uuid(document.id), to_json({"folder": "/a/d/e"})) == "done"
    assert await changed("move_folder_v2($1, $2, $3, 20, $4, $5)", "/a/d", "/a/f") == "done"
    (row,) = await database.fetch("SELECT rows FROM list_folders($1, '/a', 0, 10)", here)
    assert msgspec.json.decode(row["rows"]) == [
        {"folder": "/a/b", "documents": 0},
        {"folder": "/a/f", "documents": 1},
    ]
    assert await changed("delete_folder($1, $2, $3, $4)", "/a/b") == "done"
    assert await records.folders(home) == {"/a": 1, "/a/f": 1, "/a/f/e": 1}


async def test_the_folders_of_the_former_version_are_counted_and_listed(records: Records, database: Database) -> None:
    home = await records.workspace()
    counts: list[Row] = []
    count = "SELECT folders FROM usage WHERE workspace_id = $1"
    document = records.document(home, folder="/a/b")
    batch = f"[{to_record(document, records.intent(home), HASHING_KEY)[0].decode()}]"
    await database.fetch("SELECT record_documents($1, $2)", to_uuid(home.id), batch)
    counts += await database.fetch(count, to_uuid(home.id))
    assert await records.folders(home) == {"/a": 1, "/a/b": 1}
    await database.fetch("SELECT ensure_folders($1, $2)", to_uuid(home.id), ["/a/c/d"])
    counts += await database.fetch(count, to_uuid(home.id))
    await database.fetch(
        "SELECT delete_folder($1, '/a/c', $2, $3)",
        *(to_uuid(home.id), records.clock(), to_json(to_intent(records.intent(home), records.clock(), HASHING_KEY))),
    )
    counts += await database.fetch(count, to_uuid(home.id))
    assert [row["folders"] for row in counts] == [2, 4, 2]


async def test_the_former_version_releases_reservations(records: Records, database: Database) -> None:
    home = await records.workspace()
    recorded, condemned = records.upload(home, "recorded", 60), records.upload(home, "condemned", 30)
    for upload in (recorded, condemned):
        await records.documents.issue_upload(upload)
    document = records.document(home, path="recorded", size_bytes=5)
    batch = f"[{to_record(document, records.intent(home), HASHING_KEY)[0].decode()}]"
    rows = await database.fetch("SELECT outcome FROM record_documents($1, $2)", to_uuid(home.id), batch)
    assert [row["outcome"] for row in rows] == ["created"]
    listed = to_json([{"key": condemned.path, "size_bytes": 1, "etag": "e"}])
    await database.fetch("SELECT condemn_objects($1, $2, $3)", to_uuid(home.id), listed, records.clock())
    states = [PathState.RECORDED, PathState.CONDEMNED]
    assert await records.states(home, recorded.path, condemned.path) == states
    assert await records.usage(home) == (5, 90)

    records.clock.advance(hours=1)
    await records.settle(home, {recorded.path: 5, condemned.path: None})
    assert await records.states(home, recorded.path, condemned.path) == states
    assert await records.usage(home) == (5, 0)
    assert await records.overdue(home) == []
