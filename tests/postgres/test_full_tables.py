"""The number of rows that reads and writes touch when the tables are full: counted, not timed.

The server runs ANALYZE by itself within a minute after many changes, and then plans everything anew.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from adapters.postgres import statements
from adapters.postgres.documents import to_record
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.documents import Document
from domain.entity_links import EntityType
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import EVERYTHING, DocumentFilter
from ports.queries import After
from tests.clock import StillClock
from tests.contracts.records import Records, new_key, postgres_records
from tests.postgres.full_tables import OneConnection

HITS = 20

FILTERS = {
    "everything": EVERYTHING,
    "a folder and all below it": DocumentFilter(folder=FolderPath("/hits")),
    "a folder alone": DocumentFilter(folder=FolderPath("/hits/3"), recursive=False),
    "a tag": DocumentFilter(tags=("hit",)),
    "a media type": DocumentFilter(mime_type="application/pdf"),
    "a search": DocumentFilter(search="needle"),
    "a search without matches": DocumentFilter(search="nowhere at all"),
    "a time": DocumentFilter(created_after=StillClock()()),
    "all together": DocumentFilter(
        folder=FolderPath("/hits"), tags=("hit",), search="needle", created_after=StillClock()()
    ),
}


@pytest.fixture
def records(empty: OneConnection) -> Records:
    return postgres_records(empty, StillClock())


@pytest.fixture
async def home(records: Records) -> Workspace:
    return await records.workspace(quota_bytes=2**62)


async def record_hits(records: Records, home: Workspace) -> list[Document]:
    return [
        await records.recorded(home, folder=f"/hits/{number}", name=f"a needle {number}", tags=("hit",))
        for number in range(HITS)
    ]


async def counts(
    empty: OneConnection, home: Workspace, count: Callable[[], Awaitable[dict[str, int]]], *, analyze: bool = True
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the rows counted before and after the tables fill, with plans made while they were empty."""
    await count()
    # From here on, the planner knows that the tables are tiny, and would rather scan them.
    await empty.connection.execute("ANALYZE")
    for _ in range(10):
        few = await count()
    await empty.fill(to_uuid(home.id))
    if analyze:
        await empty.connection.execute("ANALYZE")
    return few, await count()


async def test_plans_of_a_create_that_were_made_on_empty_tables_never_scan_full_ones(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    async def count() -> dict[str, int]:
        """Return the rows that one call of 32 new documents reads, by table."""
        documents = [records.document(home, path=new_key(), folder=f"/a/{n}") for n in range(32)]
        batch = b",".join(to_record(document, records.intent(home, new_key())) for document in documents)
        return await empty.read_by(empty.fetch(statements.RECORD_DOCUMENTS, to_uuid(home.id), f"[{batch.decode()}]"))

    few, many = await counts(empty, home, count, analyze=False)
    assert many == few
    assert sum(many.values()) < 500


async def test_lists_read_no_more_rows_beside_many_documents_that_do_not_match(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    documents = await record_hits(records, home)
    await records.linked_to(home, documents[0], entity_type="deal", entity_id="d-1")
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

    few, many = await counts(empty, home, count)
    assert {name: rows for name, rows in many.items() if rows > few[name] + HITS} == {}
    assert all(0 < rows < 8 * HITS for name, rows in many.items() if name != "a search without matches"), many


async def test_changes_read_a_few_rows_however_many_documents_there_are(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    async def count() -> dict[str, int]:
        unique = records.unknown_document()
        patched, deleted, linked, _ = [await records.recorded(home, folder=f"/{unique}/{n}") for n in range(4)]
        changes: dict[str, Awaitable[Any]] = {
            "patch": records.patch(home, patched.id, name="b", folder=FolderPath(f"/new/{unique}")),
            "delete": records.delete(home, deleted.id),
            "link": records.add_link(home, records.link(linked.id, "deal", "d-1")),
            "move": records.move(home, f"/{unique}", f"/moved/{unique}"),
        }
        return {name: sum((await empty.read_by(change)).values()) for name, change in changes.items()}

    few, many = await counts(empty, home, count)
    assert {name: rows for name, rows in many.items() if rows > few[name] + 5} == {}
    assert all(rows < 60 for rows in many.values()), many


async def test_a_search_without_an_index_reads_only_the_newest_documents(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    await empty.fill(to_uuid(home.id))
    await record_hits(records, home)
    await empty.connection.execute("ANALYZE")
    find = partial(records.documents.find, home.id)
    assert (await find(DocumentFilter(search="e 19"), Page(1, 100))).total == 1
    # The newest 10,000 are counted, and then searched. 20,000 documents are older than the hits.
    read = await empty.read_by(find(DocumentFilter(search=" q"), Page(1, 100)))
    assert read["documents"] <= 20_000
    found = await find(DocumentFilter(search="fi"), Page(1, 100))
    assert (found.total, found.total_is_exact) == (10_000 - HITS, True)


async def test_every_page_is_found_of_more_matches_than_are_counted(
    empty: OneConnection, records: Records, home: Workspace
) -> None:
    await empty.fill(to_uuid(home.id))
    await record_hits(records, home)
    find = partial(records.documents.find, home.id)
    for wanted in (DocumentFilter(tags=("filled",)), DocumentFilter(search="filled"), DocumentFilter(mime_type="a/b")):
        first = await find(wanted, Page(1, 3))
        assert (first.total, first.total_is_exact, first.more) == (10_000, False, True)
        last = await find(wanted, Page(200, 100))
        assert (len(last.documents), last.more) == (100, False)
        ids = [document.id for document in last.documents]
        assert ids == sorted(ids, reverse=True)
        assert (await find(wanted, Page(201, 100))).documents == ()
        assert (await find(wanted, After(first.documents[1].id, 1))).documents == first.documents[2:]
        assert not (await find(wanted, After(last.documents[-1].id, 1))).documents
    everything = await find(EVERYTHING, Page(1, 1))
    assert (everything.total, everything.total_is_exact) == (20_000 + HITS, True)
