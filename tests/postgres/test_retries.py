"""Writes that fail in Postgres, before or after their commit. Each is retried and has its effect once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from adapters.postgres.database import Database, Row
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.documents import Changes, Document
from domain.entity_links import EntityLink
from domain.paths import FolderPath
from ports.api_keys import ApiKeyRevoked
from ports.outcomes import (
    Created,
    Deleted,
    FolderDeleted,
    FolderMoved,
    LinkAdded,
    LinkRemoved,
    NoSuchDocument,
    Patched,
)
from ports.queries import DocumentWithLinks, Usage
from ports.system import Unavailable
from tests.clock import StillClock
from tests.contracts.changes import Change, change
from tests.contracts.records import Records, new_key, only, revised
from tests.contracts.repositories import postgres_records

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
    """A database whose next statements fail as `faults` says, each with a moment and an error code of Postgres.

    `meanwhile` is awaited once, after a statement that was committed although it failed.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool)
        self.faults: list[tuple[str, str]] = []
        self.meanwhile: Awaitable[object] | None = None

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        if not self.faults:
            return await super().fetch(sql, *arguments)
        moment, code = self.faults.pop(0)
        if moment == AFTER:
            await super().fetch(sql, *arguments)
            if self.meanwhile is not None:
                await self.meanwhile
        return await super().fetch(f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$")


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database)


@pytest.fixture
def records(failing: Failing) -> Records:
    return postgres_records(failing, StillClock())


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("code", CODES, ids=CODES.get)
async def test_a_create_survives_temporary_errors(failing: Failing, records: Records, code: str, moment: str) -> None:
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


def changes_of(records: Records, document: Document, link: EntityLink) -> list[tuple[Change, object]]:
    """Return each kind of change, and the outcome that it has if nothing fails."""
    at, other = records.clock(), records.link(document.id, "task", "t-1")
    on_document = {"document": document.id, "precondition": only(document.state), "at": at}
    changes = Changes(name="b.pdf", folder=FolderPath("/c"))
    patched = DocumentWithLinks(changes.applied_to(document, at), (link.entity,))
    return [
        (change("patch", changes=changes, **on_document), Patched(patched)),
        (change("delete", **on_document), Deleted(document.storage_path)),
        (change("add_link", link=other), LinkAdded(other, is_new=True)),
        (change("remove_link", document=document.id, link=link.id, at=at), LinkRemoved()),
        (change("move_folder", source=FolderPath("/a"), target=FolderPath("/z"), at=at), FolderMoved(1)),
        (change("delete_folder", folder=FolderPath("/empty"), at=at), FolderDeleted()),
    ]


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without a key"])
@pytest.mark.parametrize("moments", [[BEFORE], [AFTER], [BEFORE, AFTER]], ids=str)
@pytest.mark.parametrize("method", ["patch", "delete", "add_link", "remove_link", "move_folder", "delete_folder"])
async def test_a_change_whose_connection_breaks_is_done_once_and_has_its_usual_outcome(
    failing: Failing, records: Records, method: str, moments: list[str], keyed: bool
) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b")
    link = await records.linked_to(home, document)
    await records.delete(home, (await records.recorded(home, folder="/empty")).id)
    (made, outcome), *_ = (pair for pair in changes_of(records, revised(document), link) if pair[0].method == method)
    failing.faults = [(moment, ADMIN_SHUTDOWN) for moment in moments]
    intent = records.intent(home, new_key() if keyed else None, operation=method)
    assert await made.apply(records.documents, intent) == outcome
    assert failing.faults == []
    # Two creates, the link, a delete, and the change.
    assert len(await failing.fetch("SELECT FROM events WHERE workspace_id = $1", to_uuid(home.id))) == 5


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without a key"])
async def test_a_revoke_whose_answer_was_lost_is_no_replay(failing: Failing, records: Records, keyed: bool) -> None:
    home = await records.workspace()
    key = await records.added(home)
    intent = records.intent(home, new_key() if keyed else None, operation="revoke_api_key")
    failing.faults = [(AFTER, ADMIN_SHUTDOWN)]
    assert await records.api_keys.revoke(home.id, key.id, records.clock(), intent) == ApiKeyRevoked()
    assert failing.faults == []
    again = await records.api_keys.revoke(home.id, key.id, records.clock(), intent)
    assert again == ApiKeyRevoked(replayed=keyed)
    # The API key was added and revoked.
    assert len(await failing.fetch("SELECT FROM events WHERE workspace_id = $1", to_uuid(home.id))) == 2


MEANWHILE: dict[
    str, tuple[Callable[[Records, Workspace, Document], Awaitable[object]], Callable[[Document], object]]
] = {
    "another patch": (
        lambda records, home, document: records.patch(home, document.id, name="c.pdf"),
        lambda patched: Patched(DocumentWithLinks(replace(patched, name="c.pdf"), ())),
    ),
    "a delete": (lambda records, home, document: records.delete(home, document.id), lambda _: NoSuchDocument()),
}
"""What another process does after the commit of a patch whose answer is lost, and the outcome of that patch."""


@pytest.mark.parametrize("what", MEANWHILE)
async def test_a_patch_whose_answer_was_lost_has_its_own_state_after_another_change(
    failing: Failing, records: Records, database: Database, what: str
) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    other_change, outcome = MEANWHILE[what]
    failing.faults = [(AFTER, ADMIN_SHUTDOWN)]
    failing.meanwhile = other_change(postgres_records(database, records.clock), home, document)
    patched = replace(revised(document), description=None)
    assert await records.patch(home, document.id, description=None) == outcome(patched)


async def test_a_change_that_fails_three_times_is_unavailable(failing: Failing, records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home)
    failing.faults = [(BEFORE, ADMIN_SHUTDOWN)] * 3
    with pytest.raises(Unavailable):
        await records.patch(home, document.id, name="b.pdf")
    assert await records.current(document) == document
