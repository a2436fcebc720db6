"""Renaming and moving folders."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.documents import Document
from domain.errors import FolderExists, InsufficientPermissions, Invalid, Refusal
from domain.paths import FolderPath
from domain.use_cases.move_folder import Moved, MoveFolder
from tests.domain.anything import objects_around
from tests.domain.world import NEVER_ASKED, World

BLIND = MoveFolder(documents=NEVER_ASKED, now=NEVER_ASKED)
MOVE = {"from": "/a", "to": "/b"}


async def file(world: World, caller: Caller, *folders: str | None) -> list[Document]:
    """A document in each of these folders."""
    return [await world.record(caller, b"", folder=folder) for folder in folders]


async def move(world: World, caller: Caller, source: str, target: str) -> Moved:
    return await world.move_folder(caller, {"from": source, "to": target})


async def tree(world: World, caller: Caller, parent: str = "/") -> dict[str, int]:
    """Every folder there is, with what is in it and below it."""
    found: dict[str, int] = {}
    for folder, documents in (await world.folders(caller, parent=parent, per_page="100")).items():
        found |= {folder: documents, **await tree(world, caller, folder)}
    return found


async def test_all_that_is_in_it_and_below_it_moves_and_nothing_else(world: World) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/x", "/a/x/y", "/a/x/y", "/a/xy", "/a", "/x", None)
    assert await move(world, caller, "/a/x", "/c/d/z") == Moved(FolderPath("/c/d/z"), 3)
    assert await tree(world, caller) == {
        "/a": 2, "/a/xy": 1, "/c": 3, "/c/d": 3, "/c/d/z": 3, "/c/d/z/y": 2, "/x": 1,
    }  # fmt: skip


async def test_of_a_document_only_its_folder_changes(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, b"12345", folder="/a/b", tags=["t"])
    link = await world.link(caller, document)
    world.clock.advance(days=1)
    await move(world, caller, "/a", "/c")
    found = await world.documents.get(caller.workspace_id, document.id)
    assert found is not None
    assert found.document == replace(document, folder=FolderPath("/c/b"))
    assert found.links == (link,)
    assert await world.storage.stat(document.storage_path) == document.stored


async def test_an_empty_folder_moves_too(world: World) -> None:
    caller = await world.caller()
    [document] = await file(world, caller, "/a/b/c")
    await world.delete_document(caller, document.id, None)
    assert await move(world, caller, "/a/b", "/b") == Moved(FolderPath("/b"), 0)
    assert await tree(world, caller) == {"/a": 0, "/b": 0, "/b/c": 0}


@pytest.mark.parametrize(
    ("source", "target", "after"),
    [
        ("/a", "/A", {"/A": 2, "/A/b": 1}),
        ("/a", "/ab", {"/ab": 2, "/ab/b": 1}),
        ("/a", "/a b/a", {"/a b": 2, "/a b/a": 2, "/a b/a/b": 1}),
        ("/a/", "/e\u0301/", {"/\xe9": 2, "/\xe9/b": 1}),
        ("/a/b", "/b", {"/a": 1, "/b": 1}),
        ("/a/b", "/a/c/b", {"/a": 2, "/a/c": 1, "/a/c/b": 1}),
        ("/a/b", "/b/a/b", {"/a": 1, "/b": 1, "/b/a": 1, "/b/a/b": 1}),
    ],
)
async def test_a_folder_moves_anywhere_but_into_itself(
    world: World, source: str, target: str, after: dict[str, int]
) -> None:
    caller = await world.caller()
    await file(world, caller, "/a", "/a/b")
    await move(world, caller, source, target)
    assert await tree(world, caller) == after


async def test_a_folder_is_found_where_it_is_now(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, name="n", folder="/a/b")
    await move(world, caller, "/a", "/c")
    assert await world.names(caller, folder="/a") == []
    assert await world.names(caller, folder="/c") == ["n"]
    assert await world.names(caller, folder="/c/b", recursive="false") == ["n"]


async def test_the_old_path_is_free_again(world: World) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/b")
    await move(world, caller, "/a", "/c")
    await file(world, caller, "/a")
    assert await tree(world, caller) == {"/a": 1, "/c": 1, "/c/b": 1}
    with pytest.raises(FolderExists):
        await move(world, caller, "/c", "/a")


LEVELS = st.sampled_from(["a", "ab", "b"])
FOLDERS = st.lists(LEVELS, min_size=1, max_size=3).map(lambda levels: "/" + "/".join(levels))


@given(st.lists(FOLDERS, max_size=6), FOLDERS, FOLDERS)
async def test_there_and_back_everything_is_as_before(there: list[str], source: str, target: str) -> None:
    world = World()
    caller = await world.caller()
    documents = await file(world, caller, *there)
    before = await tree(world, caller)
    try:
        await move(world, caller, source, target)
    except Refusal:
        assert await tree(world, caller) == before
        return
    between = await tree(world, caller)
    await move(world, caller, target, source)
    # The folders above the other place came into being, and stay.
    above = {folder: 0 for folder in between if folder not in before and target.startswith(f"{folder}/")}
    assert await tree(world, caller) == before | above
    for document in documents:
        found = await world.documents.get(caller.workspace_id, document.id)
        assert found is not None
        assert found.document == document


async def refused_members(world: World, caller: Caller, source: str, target: str) -> set[str]:
    before = await tree(world, caller)
    with pytest.raises(Invalid) as refused:
        await move(world, caller, source, target)
    assert await tree(world, caller) == before
    return set(refused.value.fields)


@pytest.mark.parametrize("source", ["/b", "/a/c", "/A", "/ab", "/a/b/c"])
async def test_a_folder_that_is_not_there_is_told_on_from(world: World, source: str) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/b")
    assert await refused_members(world, caller, source, "/new") == {"from"}
    # Before it is looked whether there is anything at the other path.
    assert await refused_members(world, caller, source, "/a/b/c/d" if source != "/a/b/c" else "/a") == {"from"}


@pytest.mark.parametrize("target", ["/b", "/b/c", "/b/", "/a"])
async def test_nothing_may_be_at_the_other_path(world: World, target: str) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/x", "/b/c")
    before = await tree(world, caller)
    with pytest.raises(FolderExists):
        await move(world, caller, "/a/x", target)
    assert await tree(world, caller) == before


async def test_an_empty_folder_at_the_other_path_is_something_too(world: World) -> None:
    caller = await world.caller()
    _, document = await file(world, caller, "/a", "/b")
    await world.delete_document(caller, document.id, None)
    with pytest.raises(FolderExists):
        await move(world, caller, "/a", "/b")


@pytest.mark.parametrize("target", ["/a", "/a/", "/a/b", "/a/new/x"])
async def test_a_folder_cannot_lie_in_itself_and_that_costs_no_call(world: World, target: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), {"from": "/a", "to": target})
    assert set(refused.value.fields) == {"to"}


async def test_nothing_comes_to_lie_deeper_than_20_levels(world: World) -> None:
    caller = await world.caller()
    # The deepest of its folders is empty, and counts.
    _, document = await file(world, caller, "/a/b", "/a/b/c/d")
    await world.delete_document(caller, document.id, None)
    assert await refused_members(world, caller, "/a/b", "/x" * 19) == {"to"}
    assert await refused_members(world, caller, "/a", "/x" * 18) == {"to"}
    assert await move(world, caller, "/a/b", "/x" * 18) == Moved(FolderPath("/x" * 18), 1)
    assert await world.folders(caller, parent="/x" * 18 + "/c") == {"/x" * 18 + "/c/d": 0}


WRONG: tuple[object, ...] = (None, "", "/", "a", "/..", "/a//b", "/a\0", "/a" * 21, 5, [], {})


@pytest.mark.parametrize("member", ["from", "to"])
@pytest.mark.parametrize("value", WRONG, ids=repr)
async def test_a_wrong_member_is_named_and_costs_no_call(world: World, member: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), {**MOVE, member: value})
    assert set(refused.value.fields) == {member}


@pytest.mark.parametrize("sent", [{"folder": "/a"}, {"from": "/", "to": "/", "folder": None}], ids=["absent", "root"])
async def test_every_wrong_member_is_named_at_once(world: World, sent: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), sent)
    assert set(refused.value.fields) == {"from", "to", "folder"}


async def test_the_folders_of_another_workspace_neither_move_nor_are_in_the_way(world: World) -> None:
    caller, stranger = await world.caller(), await world.caller()
    await file(world, stranger, "/a", "/b")
    assert await refused_members(world, caller, "/a", "/c") == {"from"}
    await file(world, caller, "/a")
    await move(world, caller, "/a", "/b")
    assert await tree(world, caller) == {"/b": 1}
    assert await tree(world, stranger) == {"/a": 1, "/b": 1}


@given(
    objects_around(MOVE),
    st.sets(st.sampled_from(sorted(set(Permission) - {Permission.WRITE_DOCUMENTS}))),
)
async def test_the_permission_is_checked_before_anything_else(
    sent: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="write:documents"):
        await BLIND(caller, sent)


async def test_moving_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    await file(world, caller, "/a")
    writer = replace(caller, permissions=frozenset({Permission.WRITE_DOCUMENTS}))
    assert await move(world, writer, "/a", "/b") == Moved(FolderPath("/b"), 1)
