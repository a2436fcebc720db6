"""Recording a document whose bytes are stored."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller
from domain.documents import Document
from domain.errors import Invalid
from domain.ids import parse_document_id
from domain.paths import FolderPath, StoragePath, workspace_prefix
from domain.use_cases.create_document import CreateDocument, Recorded
from ports.queries import DocumentWithLinks
from ports.storage import Unreadable
from tests.domain.anything import JSON, TEXTS
from tests.domain.samples import CALLER, DOCUMENT, FOREIGN, KEY, OWN
from tests.domain.world import NEVER_CALLED, Instead, World, members


async def test_a_document_is_recorded_as_it_was_sent(world: World, caller: Caller) -> None:
    path = await world.upload(caller, b"12345")
    sent = members(
        path,
        name="Acme-NDA-2026.pdf",
        size_bytes=5,
        description="d",
        folder="/clients/acme/ndas/",
        tags=["nda", " confidentiality ", "nda"],
    )
    receipt = await world.create_document(caller, sent, None)
    stored = await world.storage.stat(path)
    assert stored is not None
    assert not receipt.replayed
    assert parse_document_id(receipt.document.id)
    assert receipt.document == Document(
        id=receipt.document.id,
        workspace_id=caller.workspace_id,
        name="Acme-NDA-2026.pdf",
        description="d",
        mime_type="application/pdf",
        storage_path=path,
        stored=stored,
        folder=FolderPath("/clients/acme/ndas"),
        tags=("nda", "confidentiality"),
        revision=1,
        created_by=caller.user_id,
        created_by_key=caller.key_id,
        created_at=world.clock(),
        updated_at=world.clock(),
    )
    assert await world.documents.get(caller.workspace_id, receipt.document.id) == DocumentWithLinks(
        receipt.document, ()
    )


async def test_optional_members_may_be_absent_or_null_and_the_size_is_that_of_the_object(world: World) -> None:
    caller = await world.caller()
    for sent in ({}, {"size_bytes": None, "description": None, "folder": None, "tags": None}):
        document = await world.record(caller, b"12345", **sent)
        assert (document.description, document.folder, document.tags) == (None, None, ())
        assert document.stored.size_bytes == 5


@pytest.mark.parametrize("size", [0, 4, 6])
async def test_a_size_other_than_the_stored_one_is_refused(world: World, caller: Caller, size: int) -> None:
    path = await world.upload(caller, b"12345")
    with pytest.raises(Invalid) as refused:
        await world.create_document(caller, members(path, size_bytes=size), None)
    assert set(refused.value.fields) == {"size_bytes"}


async def test_a_path_without_an_object_is_refused(world: World, caller: Caller) -> None:
    path = workspace_prefix(caller.workspace_id) + "documents/never-uploaded.pdf"
    for sent in (members(path), members(path, size_bytes=0)):
        with pytest.raises(Invalid) as refused:
            await world.create_document(caller, sent, None)
        assert set(refused.value.fields) == {"storage_path"}


async def test_an_object_of_which_readers_would_get_other_bytes_is_refused(world: World, caller: Caller) -> None:
    path = await world.upload(caller)

    async def stat(_: StoragePath) -> Unreadable:
        return Unreadable("has the header Content-Encoding: gzip, so readers would decode it")

    create = replace(world.create_document, storage=cast("Any", Instead(world.storage, stat=stat)))
    for sent in (members(path), members(path, size_bytes=8)):
        with pytest.raises(Invalid) as refused:
            await create(caller, sent, None)
        assert refused.value.fields == {
            "storage_path": "has an object that has the header Content-Encoding: gzip, so readers would decode it; ask "
            "for a new upload URL, and upload the file again with exactly the headers that are returned"
        }


@pytest.mark.parametrize("replacement", [None, b"other length", b"54321"], ids=repr)
@pytest.mark.parametrize("more", [{}, {"size_bytes": 5}], ids=["size left out", "size sent"])
async def test_a_retry_is_replayed_although_the_object_is_gone_or_has_changed(
    world: World, caller: Caller, replacement: bytes | None, more: dict[str, object]
) -> None:
    path = await world.upload(caller, b"12345")
    first = await world.create_document(caller, members(path, **more), KEY)
    world.storage.swap(path, replacement)
    again = await world.create_document(caller, members(path, **more), KEY)
    assert again == Recorded(first.document, replayed=True)


@given(
    st.builds("{}{}".format, st.sampled_from(["", "/", "workspaces/", f"workspaces/{FOREIGN}/"]), TEXTS)
    | st.builds(f"workspaces/{OWN}/{{}}/{{}}".format, st.sampled_from(["..", ".", "", "\\"]), TEXTS)
    | JSON
)
async def test_a_foreign_or_hostile_path_is_refused_before_any_port_is_called(path: object) -> None:
    blind = CreateDocument(documents=NEVER_CALLED, storage=NEVER_CALLED, now=NEVER_CALLED, new_id=NEVER_CALLED)
    with pytest.raises(Invalid) as refused:
        await blind(CALLER, {**DOCUMENT, "storage_path": path}, KEY)
    assert set(refused.value.fields) == {"storage_path"}
