"""Writes that Postgres fails, before or after their commit: each is retried and done once."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.postgres.database import Database, Row
from adapters.postgres.rows import to_uuid
from domain.documents import Changes, Document
from domain.entity_links import EntityLink
from domain.paths import FolderPath
from ports.outcomes import Created, Deleted, FolderDeleted, FolderMoved, LinkAdded, LinkRemoved, Patched
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.changes import AddLink, Change, Delete, DeleteFolder, MoveFolder, Patch, RemoveLink, apply
from tests.contracts.records import Records, new_key, only, postgres_records, revised

BEFORE, AFTER = "before the commit", "after the commit"
ADMIN_SHUTDOWN = "57P01"
CODES = {
    "40P01": "deadlock_detected",
    "40001": "serialization_failure",
    "57014": "query_canceled",  # what ends a statement after its time limit
    "55P03": "lock_not_available",
    "53300": "too_many_connections",
    ADMIN_SHUTDOWN: "admin_shutdown",
    "57P03": "cannot_connect_now",
    "25006": "read_only_sql_transaction",
}


class Failing(Database):
    """A database whose next statements fail as `faults` says, each with a moment and an error code of Postgres."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool)
        self.faults: list[tuple[str, str]] = []

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        if not self.faults:
            return await super().fetch(sql, *arguments)
        moment, code = self.faults.pop(0)
        if moment == AFTER:
            await super().fetch(sql, *arguments)
        return await super().fetch(f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$")


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database)


@pytest.fixture
def records(failing: Failing) -> Records:
    return postgres_records(failing, StillClock())


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("code", CODES, ids=CODES.get)
async def test_a_create_is_retried_after_every_error_that_may_pass(
    failing: Failing, records: Records, code: str, moment: str
) -> None:
    home = await records.workspace(quota_bytes=100)
    keyed, bare = records.document(home, path="documents/a"), records.document(home, path="documents/b")
    failing.faults = [(moment, code)] * 3
    creates = records.create(home, keyed, new_key()), records.create(home, bare)
    assert [*await asyncio.gather(*creates)] == [Created(keyed), Created(bare)]
    assert failing.faults == []
    assert await records.documents.usage(home.id) == Usage(used_bytes=20, quota_bytes=100, documents=2)


async def test_a_value_that_postgres_refuses_fails_its_create_at_once_and_no_other(records: Records) -> None:
    home = await records.workspace()
    documents = [records.document(home, path=f"documents/{n}", name=name) for n, name in enumerate(("a", "\0", "c"))]
    outcomes = await asyncio.gather(*(records.create(home, document) for document in documents), return_exceptions=True)
    assert outcomes[::2] == [Created(documents[0]), Created(documents[2])]
    assert "unsupported Unicode escape" in str(outcomes[1])
    assert (await records.documents.usage(home.id)).documents == 2


def changes_of(records: Records, document: Document, link: EntityLink) -> dict[str, tuple[Change, object]]:
    """Return each kind of change, and the outcome that it has if nothing fails."""
    at, expected, other = records.clock(), only(document.state), records.link(document.id, "task", "t-1")
    changes = Changes(name="b.pdf", folder=FolderPath("/c"))
    patched = DocumentWithLinks(changes.applied_to(document, at), (link,))
    return {
        "patch": (Patch(document=document.id, changes=changes, precondition=expected, at=at), Patched(patched)),
        "delete": (Delete(document=document.id, precondition=expected, at=at), Deleted(document.storage_path)),
        "add_link": (AddLink(link=other), LinkAdded(other, is_new=True)),
        "remove_link": (RemoveLink(document=document.id, link=link.id, at=at), LinkRemoved()),
        "move_folder": (MoveFolder(source=FolderPath("/a"), target=FolderPath("/z"), at=at), FolderMoved(1)),
        "delete_folder": (DeleteFolder(folder=FolderPath("/empty"), at=at), FolderDeleted()),
    }


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without a key"])
@pytest.mark.parametrize("moments", [[BEFORE], [AFTER], [BEFORE, AFTER]], ids=str)
@pytest.mark.parametrize("kind", ["patch", "delete", "add_link", "remove_link", "move_folder", "delete_folder"])
async def test_a_change_whose_connection_breaks_is_done_once_and_has_its_usual_outcome(
    failing: Failing, records: Records, kind: str, moments: list[str], keyed: bool
) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b")
    link = await records.linked_to(home, document)
    await records.delete(home, (await records.recorded(home, folder="/empty")).id)
    change, outcome = changes_of(records, revised(document), link)[kind]
    failing.faults = [(moment, ADMIN_SHUTDOWN) for moment in moments]
    intent = records.intent(home, new_key() if keyed else None, operation=kind)
    assert await apply(records.documents, change, intent) == outcome
    assert failing.faults == []
    # Two creates, the link, a delete, and the change.
    assert len(await failing.fetch("SELECT FROM events WHERE workspace_id = $1", to_uuid(home.id))) == 5


async def test_a_change_that_fails_three_times_is_unavailable(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    failing.faults = [(BEFORE, ADMIN_SHUTDOWN)] * 3
    with pytest.raises(Unavailable):
        await records.patch(home, document.id, name="b.pdf")
    assert await records.current(document) == document


async def test_only_changes_that_are_made_record_an_event(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b")

    async def kinds() -> list[str]:
        rows = await failing.fetch("SELECT kind FROM events WHERE workspace_id = $1 ORDER BY seq", to_uuid(home.id))
        return [row["kind"] for row in rows]

    await records.patch(home, document.id, only("9"), name="c")
    await records.delete(home, document.id, precondition=only("9"))
    for folder in ("/a", "/a/b", "/unknown"):
        await records.delete_folder(home, folder)
    await records.move(home, "/a/b", "/a")
    assert await kinds() == ["document.created"]
    await records.patch(home, document.id, folder=None)
    await records.move(home, "/a/b", "/a")
    await records.delete_folder(home, "/a")
    assert await kinds() == ["document.created", "document.changed", "folder.moved", "folder.deleted"]
