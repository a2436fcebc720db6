"""Recording a document whose bytes are stored."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.documents import Document
from domain.errors import InsufficientPermissions, Invalid, QuotaExceeded, StorageConflict
from domain.ids import parse_document_id
from domain.paths import FolderPath, StoragePath, workspace_prefix
from domain.use_cases.create_document import Recorded
from ports.queries import DocumentWithLinks, Usage
from tests.domain.anything import JSON, TEXTS, objects_around
from tests.domain.samples import DOCUMENT, FOREIGN, OWN
from tests.domain.world import NEVER_ASKED, World, members


async def test_a_document_is_recorded_as_it_was_sent(world: World) -> None:
    caller = await world.caller()
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


async def test_what_is_left_out_is_none_and_tags_are_empty(world: World) -> None:
    document = await world.record(await world.caller())
    assert (document.description, document.folder, document.tags) == (None, None, ())


async def test_a_size_left_out_is_filled_in(world: World) -> None:
    caller = await world.caller()
    assert (await world.record(caller, b"12345")).stored.size_bytes == 5
    assert (await world.record(caller, b"1234567", size_bytes=None)).stored.size_bytes == 7


async def test_an_empty_file_is_recorded(world: World) -> None:
    assert (await world.record(await world.caller(quota_bytes=0), b"", size_bytes=0)).stored.size_bytes == 0


@pytest.mark.parametrize("size", [0, 4, 6, 2**63 - 1])
async def test_a_size_that_is_not_the_stored_one_is_wrong(world: World, size: int) -> None:
    caller = await world.caller()
    path = await world.upload(caller, b"12345")
    with pytest.raises(Invalid) as refused:
        await world.create_document(caller, members(path, size_bytes=size), None)
    assert set(refused.value.fields) == {"size_bytes"}


async def test_bytes_that_are_not_there_are_told_on_the_path(world: World) -> None:
    caller = await world.caller()
    path = workspace_prefix(caller.workspace_id) + "documents/never-uploaded.pdf"
    for sent in (members(path), members(path, size_bytes=0)):
        with pytest.raises(Invalid) as refused:
            await world.create_document(caller, sent, None)
        assert set(refused.value.fields) == {"storage_path"}


async def test_any_own_key_where_bytes_lie_can_be_recorded(world: World) -> None:
    caller = await world.caller()
    path = StoragePath(workspace_prefix(caller.workspace_id) + "imported/2019 (old)/a+b.pdf")
    world.storage.swap(path, b"12345")
    document = (await world.create_document(caller, members(path), None)).document
    assert (document.storage_path, document.stored.size_bytes) == (path, 5)


async def test_a_path_is_recorded_once(world: World) -> None:
    caller = await world.caller()
    first = await world.record(caller, b"12345")
    world.clock.advance(days=400)
    with pytest.raises(StorageConflict) as refused:
        await world.create_document(caller, members(first.storage_path, name="other"), None)
    assert refused.value.document_id == first.id
    assert await world.documents.usage(caller.workspace_id) == Usage(5, 1000, 1)


async def test_the_stored_size_is_charged_to_the_quota_of_its_workspace_alone(world: World) -> None:
    caller, other = await world.caller(), await world.caller()
    await world.record(caller, b"12345")
    await world.record(caller, b"123", size_bytes=3)
    assert await world.documents.usage(caller.workspace_id) == Usage(8, 1000, 2)
    assert await world.documents.usage(other.workspace_id) == Usage(0, 1000, 0)


async def test_the_quota_is_exact_to_the_byte(world: World) -> None:
    caller = await world.caller(quota_bytes=10)
    await world.record(caller, b"1234567")
    over = await world.upload(caller, b"1234")
    with pytest.raises(QuotaExceeded) as refused:
        await world.create_document(caller, members(over), None)
    reported = refused.value
    assert (reported.limit_bytes, reported.used_bytes, reported.requested_bytes) == (10, 7, 4)
    await world.record(caller, b"123")
    assert await world.documents.usage(caller.workspace_id) == Usage(10, 10, 2)
    await world.record(caller, b"")
    with pytest.raises(QuotaExceeded):
        await world.record(caller, b"1")


async def test_nothing_fits_a_workspace_whose_quota_has_shrunk_below_its_use(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, b"123")
    await world.workspaces.update(caller.workspace_id, None, 2)
    with pytest.raises(QuotaExceeded):
        await world.record(caller, b"")


async def test_documents_have_ids_in_the_order_they_were_recorded(world: World) -> None:
    caller = await world.caller()
    ids = [(await world.record(caller)).id for _ in range(20)]
    assert ids == sorted(set(ids))


def somebody(*granted: Permission) -> Caller:
    """A caller of a world that is never asked."""
    return Caller(
        workspace_id=OWN,
        user_id=NEVER_ASKED,
        key_id=NEVER_ASKED,
        permissions=frozenset(granted),
        request_id="req_1",
    )


async def ask_nobody(caller: Caller, sent: dict[str, object]) -> Recorded:
    """Create a document where neither repository nor store, clock nor chance may be asked."""
    blind = replace(
        World().create_document, documents=NEVER_ASKED, storage=NEVER_ASKED, now=NEVER_ASKED, new_id=NEVER_ASKED
    )
    return await blind(caller, sent, "7c9e6679-7425-40de-944b-e07fc1f90ae7")


@given(objects_around(DOCUMENT), st.sets(st.sampled_from(sorted(set(Permission) - {Permission.WRITE_DOCUMENTS}))))
async def test_the_permission_is_checked_before_anything_else(
    sent: dict[str, object], granted: set[Permission]
) -> None:
    with pytest.raises(InsufficientPermissions) as refused:
        await ask_nobody(somebody(*granted), sent)
    assert refused.value.permission == "write:documents"


@given(
    st.builds("{}{}".format, st.sampled_from(["", "/", "workspaces/", f"workspaces/{FOREIGN}/"]), TEXTS)
    | st.builds(f"workspaces/{OWN}/{{}}/{{}}".format, st.sampled_from(["..", ".", "", "\\"]), TEXTS)
    | JSON
)
async def test_a_foreign_or_hostile_path_costs_no_call(path: object) -> None:
    with pytest.raises(Invalid) as refused:
        await ask_nobody(somebody(Permission.WRITE_DOCUMENTS), {**DOCUMENT, "storage_path": path})
    assert set(refused.value.fields) == {"storage_path"}


@given(objects_around(DOCUMENT).filter(lambda sent: not {"name", "mime_type", "storage_path"} <= sent.keys()))
async def test_an_incomplete_request_costs_no_call(sent: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await ask_nobody(somebody(Permission.WRITE_DOCUMENTS), sent)


async def test_bytes_of_another_workspace_cannot_be_recorded(world: World) -> None:
    owner, thief = await world.caller(), await world.caller()
    path = await world.upload(owner)
    with pytest.raises(Invalid) as refused:
        await world.create_document(thief, members(path), None)
    assert set(refused.value.fields) == {"storage_path"}
    assert (await world.documents.usage(thief.workspace_id)).documents == 0
    assert not (await world.create_document(owner, members(path), None)).replayed
