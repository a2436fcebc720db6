"""What changes leave in the tables, and what becomes of those whose answer is lost."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.postgres import statements
from adapters.postgres.changes import WorkspaceQueues
from adapters.postgres.database import Database
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.documents import Changes, Document
from domain.entity_links import EntityLink
from domain.ids import WorkspaceId
from domain.paths import FolderPath
from domain.search import search_text
from ports.outcomes import Deleted, FolderMoved, LinkAdded, LinkRemoved, Patched
from ports.queries import DocumentWithLinks
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.changes import AddLink, Change, Delete, MoveFolder, Patch, RemoveLink, apply
from tests.contracts.records import Records, postgres_records
from tests.postgres.failing import Failing

WRITES = (
    statements.PATCH,
    statements.DELETE,
    statements.ADD_LINK,
    statements.REMOVE_LINK,
    statements.MOVE_FOLDER,
)
CUT = "57P01"


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database, *WRITES)


@pytest.fixture
def records(failing: Failing) -> Records:
    return postgres_records(failing, StillClock())


async def recorded(records: Records, home: Workspace, path: str = "documents/a") -> tuple[Document, EntityLink]:
    """A document in a folder, and a link that it has."""
    document = records.document(home, path=path, folder="/a/b")
    await records.documents.create(document, records.intent(home))
    link = records.link(document.id, "deal", "d-1")
    await apply(records.documents, AddLink(link=link), records.intent(home))
    return document, link


def patch(records: Records, document: Document, link: EntityLink) -> tuple[Change, object]:
    changes = Changes(name="b.pdf", folder=FolderPath("/c"))
    expected_revisions = frozenset({document.revision})
    after = DocumentWithLinks(changes.applied_to(document, records.clock()), (link,))
    return Patch(
        document=document.id, changes=changes, expected_revisions=expected_revisions, at=records.clock()
    ), Patched(after)


def delete(records: Records, document: Document, link: EntityLink) -> tuple[Change, object]:
    expected_revisions = frozenset({document.revision})
    return Delete(document=document.id, expected_revisions=expected_revisions, at=records.clock()), Deleted(
        document.storage_path
    )


def unlink(records: Records, document: Document, link: EntityLink) -> tuple[Change, object]:
    return RemoveLink(document=document.id, link=link.id, at=records.clock()), LinkRemoved()


def add_link(records: Records, document: Document, link: EntityLink) -> tuple[Change, object]:
    other = records.link(document.id, "task", "t-1")
    return AddLink(link=other), LinkAdded(other, is_new=True)


def move(records: Records, document: Document, link: EntityLink) -> tuple[Change, object]:
    change = MoveFolder(source=FolderPath("/a"), target=FolderPath("/z"), at=records.clock())
    return change, FolderMoved(1)


KINDS: list[Callable[[Records, Document, EntityLink], tuple[Any, object]]] = [patch, delete, add_link, unlink, move]


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without one"])
@pytest.mark.parametrize("moments", [["before it"], ["after the commit"], ["before it", "after the commit"]], ids=str)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_whose_connection_breaks_is_done_once_and_answered_as_if_nothing_had_been(
    failing: Failing, records: Records, kind: Any, moments: list[str], keyed: bool
) -> None:
    home = await records.workspace()
    document, link = await recorded(records, home)
    change, wanted = kind(records, document, link)
    failing.fails = [(timestamp, CUT) for timestamp in moments]
    intent = records.intent(home, str(uuid4()) if keyed else None)
    assert await apply(records.documents, change, intent) == wanted
    assert failing.fails == []
    # Of the create, the link and the change.
    assert len(await events_of(failing, home)) == 3


async def test_a_change_that_fails_for_good_is_unavailable(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document, link = await recorded(records, home)
    failing.fails = [("before it", CUT)] * 3
    with pytest.raises(Unavailable):
        await apply(records.documents, patch(records, document, link)[0], records.intent(home))
    found = await records.documents.get(home.id, document.id)
    assert found == DocumentWithLinks(document, (link,))


async def test_every_change_is_an_event_in_the_order_of_commits(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document, link = await recorded(records, home)
    for kind in (patch, move, add_link, unlink):
        await apply(records.documents, kind(records, document, link)[0], records.intent(home))
    await apply(
        records.documents,
        Delete(document=document.id, expected_revisions=None, at=records.clock()),
        records.intent(home),
    )
    events = await events_of(failing, home)
    assert [event["kind"] for event in events] == [
        "document.created",
        "document.linked",
        "document.changed",
        "folder.moved",
        "document.linked",
        "document.unlinked",
        "document.deleted",
    ]
    assert [event["seq"] for event in events] == list(range(1, 8))
    assert json.loads(events[2]["data"]) == {"members": ["folder", "name"]}
    assert json.loads(events[3]["data"]) == {"from": "/a", "to": "/z"}
    assert json.loads(events[6]["data"]) == {"storage_path": document.storage_path, "size_bytes": 10}


async def test_what_changes_nothing_is_no_event(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document, _ = await recorded(records, home)
    same = Changes(name=document.name, description=document.description, folder=document.folder, tags=document.tags)
    for changes in (Changes(), same):
        nothing = Patch(document=document.id, changes=changes, expected_revisions=None, at=records.clock())
        await apply(records.documents, nothing, records.intent(home))
    await apply(records.documents, AddLink(link=records.link(document.id, "deal", "d-1")), records.intent(home))
    assert len(await events_of(failing, home)) == 2


async def test_what_is_searched_follows_the_name_and_the_description(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document, _ = await recorded(records, home)
    for changes in (
        Changes(name="STRASSE\N{LATIN CAPITAL LETTER SHARP S}"),
        Changes(description="Zwei\nZeilen\n"),
        Changes(name="c", description=None),
        Changes(description="\N{LATIN SMALL LIGATURE FI}"),
    ):
        change = Patch(document=document.id, changes=changes, expected_revisions=None, at=records.clock())
        found = await apply(records.documents, change, records.intent(home))
        assert isinstance(found, Patched)
        row = await failing.fetch_one(
            "SELECT search_text FROM documents WHERE workspace_id = $1 AND id = $2",
            to_uuid(home.id),
            to_uuid(document.id),
        )
        assert row is not None
        assert row["search_text"] == search_text(found.found.document.name, found.found.document.description)


async def test_the_receipt_of_a_change_without_a_key_soon_expires(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document, link = await recorded(records, home)
    await apply(records.documents, patch(records, document, link)[0], records.intent(home))
    records.clock.advance(minutes=6)
    assert await records.ledger.delete_expired_receipts(records.clock()) >= 2


async def test_changes_of_a_workspace_take_turns_and_leave_nothing_behind() -> None:
    turns, under_way, most = WorkspaceQueues(), 0, 0
    order = []

    async def take(number: int) -> None:
        nonlocal under_way, most
        async with turns.of(WorkspaceId("ws_1")):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            order.append(number)
            under_way -= 1

    waiting = [asyncio.create_task(take(number)) for number in range(10)]
    await asyncio.sleep(0)
    waiting[5].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (most, order) == (1, [0, 1, 2, 3, 4, 6, 7, 8, 9])
    assert turns._locks == {}


async def test_a_locked_workspace_takes_one_connection_however_many_changes_wait(
    database: Database, database_url: str
) -> None:
    records = postgres_records(database, StillClock())
    home, other = await records.workspace(), await records.workspace()
    held, freed = await recorded(records, home), await recorded(records, other)
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE", to_uuid(home.id))
        waiting = [
            asyncio.create_task(apply(records.documents, patch(records, *held)[0], records.intent(home)))
            for _ in range(40)
        ]
        # More than the pool has connections: each would be taken.
        done = await asyncio.gather(
            *(apply(records.documents, patch(records, *freed)[0], records.intent(other)) for _ in range(40))
        )
        assert sum(isinstance(outcome, Patched) for outcome in done) == 1
        assert not any(task.done() for task in waiting)
    await connection.close()
    outcomes = await asyncio.gather(*waiting)
    assert sum(isinstance(outcome, Patched) for outcome in outcomes) == 1


async def events_of(database: Database, home: Workspace) -> list[Any]:
    return list(await database.fetch("SELECT * FROM events WHERE workspace_id = $1 ORDER BY seq", to_uuid(home.id)))
