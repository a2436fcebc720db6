"""What lists and changes read, when the tables are full: counted, not timed.

ANALYZE is what the server does by itself, within a minute after much has changed: then everything is planned anew.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.documents import Changes, Document
from domain.entity_links import EntityType
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import EVERYTHING, DocumentFilter
from ports.queries import After
from tests.clock import StillClock
from tests.contracts.changes import AddLink, Delete, MoveFolder, Patch, apply
from tests.contracts.records import Records, postgres_records
from tests.postgres.full_tables import OneConnection

HITS = 20

FILTERS = {
    "everything": EVERYTHING,
    "a folder and all below it": DocumentFilter(folder=FolderPath("/hits")),
    "a folder alone": DocumentFilter(folder=FolderPath("/hits/3"), recursive=False),
    "a tag": DocumentFilter(tags=("hit",)),
    "a media type": DocumentFilter(mime_type="application/pdf"),
    "a search": DocumentFilter(search="needle"),
    "a search that finds nothing": DocumentFilter(search="nowhere at all"),
    "a time": DocumentFilter(created_after=StillClock()()),
    "all together": DocumentFilter(
        folder=FolderPath("/hits"), tags=("hit",), search="needle", created_after=StillClock()()
    ),
}


async def record_hits(records: Records, home: Workspace) -> list[Document]:
    documents = []
    for number in range(HITS):
        document = records.document(
            home, path=f"documents/{number}", folder=f"/hits/{number}", name=f"a needle {number}", tags=("hit",)
        )
        await records.documents.create(document, records.intent(home))
        documents.append(document)
    return documents


async def test_lists_read_no_more_rows_when_there_are_many_that_do_not_match(empty: OneConnection) -> None:
    records = postgres_records(empty, StillClock())
    home = await records.workspace(quota_bytes=2**62)
    documents = await record_hits(records, home)
    await apply(records.documents, AddLink(link=records.link(documents[0].id, "deal", "d-1")), records.intent(home))
    find, page = partial(records.documents.find, home.id), Page(1, 10)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        **{name: partial(find, wanted, page) for name, wanted in FILTERS.items()},
        "after a cursor": partial(find, EVERYTHING, After(documents[10].id, 10)),
        "one document": partial(records.documents.get, home.id, documents[0].id),
        "of an entity": partial(records.documents.linked, home.id, EntityType.DEAL, "d-1", None, page),
        "folders": partial(records.documents.folders, home.id, FolderPath("/hits"), page),
    }

    async def count() -> dict[str, int]:
        return {name: sum((await empty.read_by(read())).values()) for name, read in reads.items()}

    await count()
    await empty.connection.execute("ANALYZE")
    for _ in range(10):
        few = await count()
    await empty.fill(to_uuid(home.id))
    await empty.connection.execute("ANALYZE")
    many = await count()
    assert {name: many[name] for name in reads if many[name] > few[name] + HITS} == {}
    assert all(0 < rows < 8 * HITS for name, rows in many.items() if name != "a search that finds nothing"), many


async def test_what_no_index_finds_is_looked_for_in_the_newest_documents_alone(empty: OneConnection) -> None:
    records = postgres_records(empty, StillClock())
    home = await records.workspace(quota_bytes=2**62)
    await empty.fill(to_uuid(home.id))
    await record_hits(records, home)
    await empty.connection.execute("ANALYZE")
    newest = partial(records.documents.find, home.id)
    found = await newest(DocumentFilter(search="e 19"), Page(1, 100))
    assert found.total == 1
    # Counted off, then looked into: twice 10,000, of the 20,000 that are older than these.
    read = await empty.read_by(newest(DocumentFilter(search=" q"), Page(1, 100)))
    assert read["documents"] <= 20_000
    found = await newest(DocumentFilter(search="fi"), Page(1, 100))
    assert (found.total, found.total_is_exact) == (10_000 - HITS, True)


async def test_of_more_matches_than_are_counted_every_page_is_there(empty: OneConnection) -> None:
    records = postgres_records(empty, StillClock())
    home = await records.workspace(quota_bytes=2**62)
    await empty.fill(to_uuid(home.id))
    await record_hits(records, home)
    find = partial(records.documents.find, home.id)
    for wanted in (DocumentFilter(tags=("filled",)), DocumentFilter(search="filled"), DocumentFilter(mime_type="a/b")):
        first = await find(wanted, Page(1, 3))
        assert (first.total, first.total_is_exact, first.more) == (10_000, False, True)
        last = await find(wanted, Page(200, 100))
        assert (len(last.documents), last.more) == (100, False)
        assert [document.id for document in last.documents] == sorted(
            (document.id for document in last.documents), reverse=True
        )
        assert (await find(wanted, Page(201, 100))).documents == ()
        after = await find(wanted, After(first.documents[1].id, 1))
        assert after.documents == first.documents[2:]
        assert not (await find(wanted, After(last.documents[-1].id, 1))).documents
    everything = await find(EVERYTHING, Page(1, 1))
    assert (everything.total, everything.total_is_exact) == (20_000 + HITS, True)


async def test_changes_read_a_few_rows_however_many_there_are(empty: OneConnection) -> None:
    records = postgres_records(empty, StillClock())
    home = await records.workspace(quota_bytes=2**62)

    async def count(documents: list[Document]) -> dict[str, int]:
        patched, deleted, linked, _ = documents
        changes = Changes(name="b", folder=FolderPath(f"/new/{patched.id}"))
        target = FolderPath(f"/moved/{patched.id}")
        every: dict[str, Any] = {
            "patch": Patch(document=patched.id, changes=changes, expected_revisions=None, at=records.clock()),
            "delete": Delete(document=deleted.id, expected_revisions=None, at=records.clock()),
            "link": AddLink(link=records.link(linked.id, "deal", "d-1")),
            "move": MoveFolder(source=FolderPath(f"/{patched.id}"), target=target, at=records.clock()),
        }
        return {
            name: sum((await empty.read_by(apply(records.documents, change, records.intent(home)))).values())
            for name, change in every.items()
        }

    async def fresh() -> list[Document]:
        first = records.document(home, path="documents/0")
        documents = [records.document(home, path=f"{first.id}/{n}", folder=f"/{first.id}/{n}") for n in range(4)]
        for document in documents:
            await records.documents.create(document, records.intent(home))
        # The folder that is moved bears the name of the first.
        await records.documents.create(
            records.document(home, path=f"{first.id}/5", folder=f"/{documents[0].id}/5"), records.intent(home)
        )
        return documents

    await count(await fresh())
    await empty.connection.execute("ANALYZE")
    for _ in range(8):
        few = await count(await fresh())
    await empty.fill(to_uuid(home.id))
    await empty.connection.execute("ANALYZE")
    many = await count(await fresh())
    assert {name: rows for name, rows in many.items() if rows > few[name] + 5} == {}
    assert all(rows < 60 for rows in many.values()), many
