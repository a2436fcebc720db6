"""Migrations of a database with documents: the changed rows, and the effect of a kill."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.postgres import statements
from adapters.postgres.database import open_database
from adapters.postgres.migrate import migrate
from adapters.postgres.rows import to_uuid
from domain.access import Workspace
from domain.documents import Document
from domain.search import DocumentFilter, search_text, search_words
from domain.text import fold
from ports.outcomes import FolderDeleted, LinkAdded, Patched
from tests.clock import StillClock
from tests.contracts.records import Records, only
from tests.contracts.repositories import postgres_records
from tests.postgres.locks import locked
from tests.postgres.test_migrations import upgrade

MEDIA_TYPES = {
    "application/pdf": "application/pdf",
    "Application/PDF": "application/pdf",
    "IMAGE/TIFF": "image/tiff",
    "text/plain;Charset=UTF-8": "text/plain; charset=UTF-8",
    'TEXT/plain ; X="A; B=C" ; Y=Z': 'text/plain; x="A; B=C"; y=Z',
}
"""Media types as the first version recorded them, and as the second does."""

TEXTS = (
    ("Vertrag", None),
    ("Résumé", "ÜBER\nZeile 2"),
    ("İstanbul", ""),
    ("中文文档.docx", "ＷＩＤＥ"),
)
MANY = 1010
"""More documents than the migration reads at once."""


def former_search_text(name: str, description: str | None) -> str:
    """Return the searched text as the first version wrote it."""
    return f"{name.casefold()}\n{(description or '').casefold()}"


@pytest.fixture
async def first_url(empty_database_url: str) -> str:
    """The URL of a database of the first version."""
    assert await (await upgrade(empty_database_url, "0001_baseline")).wait() == 0
    return empty_database_url


# The function of the first version writes to one workspace, and knows none of the other arguments of this version.
FORMER_CREATE = """
SELECT outcome, facts FROM record_documents(($1::uuid[])[1], $2)
WHERE ($3::boolean, $4::integer, $5::integer) IS NOT NULL
"""


@pytest.fixture
async def records(first_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Records]:
    """Repositories that record documents as the first version did."""
    monkeypatch.setattr(statements, "RECORD_DOCUMENTS", FORMER_CREATE)
    async with open_database(first_url) as database:
        yield postgres_records(database, StillClock())


async def record(records: Records, url: str) -> tuple[Workspace, list[Document]]:
    """Record documents as the first version did, and an API key."""
    home = await records.workspace(quota_bytes=10**6)
    documents = [
        records.document(home, path=f"documents/{n}", name=name, description=description, mime_type=mime_type)
        for n, (mime_type, (name, description)) in enumerate((a, b) for a in MEDIA_TYPES for b in TEXTS)
    ]
    documents += [records.document(home, path=f"documents/é{n}", name=f"É {n}", description=None) for n in range(MANY)]
    for some in (documents[:MANY], documents[MANY:]):
        await asyncio.gather(*(records.create(home, document) for document in some))
    await records.added(home, "Schlüssel")
    connection = await asyncpg.connect(url)
    await connection.executemany(
        "UPDATE documents SET search_text = $3 WHERE workspace_id = $1 AND id = $2",
        [(to_uuid(home.id), to_uuid(item.id), former_search_text(item.name, item.description)) for item in documents],
    )
    await connection.execute("UPDATE api_keys SET search_text = lower(name)")
    await connection.close()
    return home, documents


OLD_LABELS = {
    # A folder and tags as 0002 left them, and what they become.
    ("/ /\u00e0", ("a\u200bb", "ab", "\u2800")): ("/unnamed/\u00e0", ("ab", "unnamed")),
    ("/Acme", ("ab",)): ("/Acme", ("ab",)),
    ("/Acme\u3000", ("a\xa0b",)): ("/Acme", ("a b",)),
    ("/Acme /2026", ()): ("/Acme/2026", ()),
    ("/new\xa0one/\u3164", ()): ("/new one/unnamed", ()),
    (None, ("n\u00f8",)): (None, ("n\u00f8",)),
}


async def assert_is_migrated(records: Records, url: str, home: Workspace, documents: list[Document]) -> None:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT id, mime_type, search_text FROM documents")
    assert {row["id"]: (row["mime_type"], row["search_text"]) for row in rows} == {
        to_uuid(item.id): (MEDIA_TYPES[item.mime_type], search_text(item.name, item.description)) for item in documents
    }
    assert await connection.fetchval("SELECT search_text FROM api_keys") == fold("Schlüssel")
    await connection.close()
    for search, name in (
        ("resume", "Résumé"),
        ("文", "中文文档.docx"),
        ("wide 中", "中文文档.docx"),
        ("istanbul", "İstanbul"),
    ):
        found = await records.all(home, DocumentFilter(words=search_words(search)))
        assert [document.name for document in found] == [name] * len(MEDIA_TYPES)


async def test_the_second_migration_rewrites_texts_and_media_types(records: Records, first_url: str) -> None:
    home, documents = await record(records, first_url)
    await migrate(first_url)
    await assert_is_migrated(records, first_url, home, documents)
    # The documents can be changed and found as new ones can.
    changed = await records.patch(home, documents[0].id, only("1"), folder="/a")
    assert isinstance(changed, Patched)
    assert isinstance(await records.add_link(home, records.link(documents[0].id)), LinkAdded)
    assert len(await records.all(home, DocumentFilter(sha256=documents[0].stored.sha256))) == len(documents)
    await records.patch(home, documents[0].id, folder=None)
    assert await records.delete_folder(home, "/a") == FolderDeleted()


async def record_old_labels(records: Records, url: str) -> tuple[Workspace, list[Document]]:
    """Record documents with labels as an earlier version took them, before the migration of labels."""
    assert await (await upgrade(url, "0004_secret")).wait() == 0
    home = await records.workspace()
    documents = [
        records.document(home, path=f"documents/{n}", name="København", folder=folder, tags=tags, size_bytes=1)
        for n, (folder, tags) in enumerate(OLD_LABELS)
    ]
    for document in documents:
        await records.create(home, document)
    async with open_database(url) as database:
        await database.fetch("UPDATE documents SET search_text = lower(name) || E'\\n'")
    return home, documents


async def test_old_labels_are_written_in_the_present_form_and_a_folder_joins_the_one_that_has_its_name(
    records: Records, first_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    home, documents = await record_old_labels(records, first_url)
    await migrate(first_url)
    assert caplog.messages == [
        "0005_labels rewrote the path of 7 folders",
        "0005_labels rewrote the tags of 2 documents",
    ]
    for old, (folder, tags) in zip(documents, OLD_LABELS.values(), strict=True):
        stored = await records.documents.get(home.id, old.id)
        assert stored is not None
        found = stored.document
        assert (found.folder, found.tags) == (folder, tags)
        # An ETag of a client must no longer match if anything that a read shows has changed, and must still match
        # otherwise.
        assert (found.state == old.state) is ((folder, tags) == (old.folder, old.tags))
    assert len(await records.all(home, DocumentFilter(words=search_words("kobenhavn")))) == len(documents)
    async with open_database(first_url) as database:
        paths = {row["path"] for row in await database.fetch("SELECT path FROM folders")}
    assert paths == {"/unnamed", "/unnamed/à", "/Acme", "/Acme/2026", "/new one", "/new one/unnamed"}


async def test_a_rewriting_of_labels_locks_one_workspace_at_a_time(records: Records, first_url: str) -> None:
    home, _ = await record_old_labels(records, first_url)
    other = await records.workspace()
    async with locked(first_url, home.id) as holder:
        migration = asyncio.create_task(migrate(first_url))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
        while not await holder.fetchval(waiting):
            assert not migration.done()
        await records.recorded(other)
        migration.cancel()
        with pytest.raises(asyncio.CancelledError):
            await migration
    await migrate(first_url)
    assert {document.folder for document in await records.all(home)} == {folder for folder, _ in OLD_LABELS.values()}
