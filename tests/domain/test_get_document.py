"""Reading a document, and the way to its bytes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Permission
from domain.errors import InsufficientPermissions, NotFound, ObjectChanged
from domain.ids import parse_document_id
from domain.use_cases.get_document import Found, GetDocument
from ports.queries import DocumentWithLinks
from ports.storage import DownloadTerms
from tests.domain.anything import TEXTS
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World, followed


def terms_of(world: World, found: Found) -> DownloadTerms | None:
    """What the signed link of an answer gives, as the store has it."""
    assert found.download is not None
    path, query = followed(found.download.url)
    return world.storage.open_download(path, query, world.clock())


async def test_a_document_is_read_as_it_was_recorded(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, folder="/a", tags=["b"])
    world.clock.advance(days=1)
    for download in (True, False):
        assert (await world.get_document(caller, document.id, download=download)).record == DocumentWithLinks(
            document, ()
        )


async def test_its_bytes_are_a_signed_get_that_works_for_15_minutes(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(days=1)
    found = await world.get_document(caller, document.id, download=True)
    assert found.download is not None
    assert found.download.method == "GET"
    assert found.download.expires_at == world.clock() + timedelta(minutes=15)
    world.clock.advance(minutes=14, seconds=59)
    assert terms_of(world, found)
    world.clock.advance(seconds=1)
    assert terms_of(world, found) is None


async def test_the_file_is_saved_under_the_documents_name_and_type(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, name='Vertr\xe4ge "2026".pdf')
    assert terms_of(world, await world.get_document(caller, document.id, download=True)) == DownloadTerms(
        path=document.storage_path,
        stored=document.stored,
        mime_type="application/pdf",
        disposition="attachment; filename=\"Vertrage _2026_.pdf\"; filename*=UTF-8''Vertr%C3%A4ge%20%222026%22.pdf",
    )


@pytest.mark.parametrize("active", ["text/html", "IMAGE/SVG+XML", "text/javascript; charset=utf-8"])
async def test_an_active_type_is_recorded_as_sent_and_served_as_bytes(world: World, active: str) -> None:
    caller = await world.caller()
    document = await world.record(caller, mime_type=active)
    assert document.mime_type == active
    terms = terms_of(world, await world.get_document(caller, document.id, download=True))
    assert terms is not None
    assert terms.mime_type == "application/octet-stream"


async def test_a_fresh_link_changes_nothing_of_the_record(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    first = await world.get_document(caller, document.id, download=True)
    world.clock.advance(minutes=1)
    second = await world.get_document(caller, document.id, download=True)
    assert first.download != second.download
    assert first.record == second.record == DocumentWithLinks(document, ())
    assert document.revision == 1


@pytest.mark.parametrize("now_there", [None, b"", b"54321", b"123456"], ids=repr)
async def test_bytes_that_were_changed_are_not_given_but_the_record_is(world: World, now_there: bytes | None) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345")
    world.storage.swap(document.storage_path, now_there)
    with pytest.raises(ObjectChanged):
        await world.get_document(caller, document.id, download=True)
    assert await world.get_document(caller, document.id, download=False) == Found(DocumentWithLinks(document, ()), None)
    world.storage.swap(document.storage_path, b"12345")
    assert terms_of(world, await world.get_document(caller, document.id, download=True))


async def test_the_record_alone_asks_the_storage_nothing(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    blind = replace(world.get_document, storage=NEVER_ASKED, now=NEVER_ASKED)
    assert await blind(caller, document.id, download=False) == Found(DocumentWithLinks(document, ()), None)


def without_storage(world: World) -> GetDocument:
    return replace(world.get_document, storage=NEVER_ASKED, now=NEVER_ASKED)


async def refusal_of(world: World, id_as_sent: str) -> tuple[type[NotFound], str]:
    """How somebody with nothing but an id is refused, the store unasked."""
    stranger = await world.caller()
    with pytest.raises(NotFound) as refused:
        await without_storage(world)(stranger, id_as_sent, download=True)
    return type(refused.value), refused.value.message


async def test_a_foreign_an_absent_and_a_malformed_id_are_not_told_apart(world: World) -> None:
    document = await world.record(await world.caller())
    absent = "doc_" + world.new_id(world.clock())
    answers = {await refusal_of(world, id_) for id_ in (document.id, absent, document.id.lower(), "", "upload-url")}
    assert len(answers) == 1


@pytest.mark.parametrize("id_as_sent", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
async def test_a_malformed_id_is_not_found_and_asks_nobody(world: World, id_as_sent: str) -> None:
    caller = await world.caller()
    with pytest.raises(NotFound):
        await replace(without_storage(world), documents=NEVER_ASKED)(caller, id_as_sent, download=True)


@given(TEXTS | TEXTS.map("doc_".__add__))
async def test_any_text_that_is_no_id_is_not_found(id_as_sent: str) -> None:
    assert parse_document_id(id_as_sent) is None
    world = World()
    with pytest.raises(NotFound):
        await replace(without_storage(world), documents=NEVER_ASKED)(await world.caller(), id_as_sent, download=True)


async def test_the_id_of_another_kind_is_not_found(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    for id_as_sent in (caller.workspace_id, caller.user_id, caller.key_id, document.id.removeprefix("doc_")):
        with pytest.raises(NotFound):
            await world.get_document(caller, id_as_sent, download=True)


@given(TEXTS, st.booleans(), st.sets(st.sampled_from(sorted(set(Permission) - {Permission.READ_DOCUMENTS}))))
async def test_the_permission_is_checked_before_anything_else(
    id_as_sent: str, download: bool, granted: set[Permission]
) -> None:
    world = World()
    caller = replace(await world.caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="read:documents"):
        await replace(without_storage(world), documents=NEVER_ASKED)(caller, id_as_sent, download=download)


async def test_reading_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    reader = replace(caller, permissions=frozenset({Permission.READ_DOCUMENTS}))
    assert (await world.get_document(reader, document.id, download=True)).record.document == document
