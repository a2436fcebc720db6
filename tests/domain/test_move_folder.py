"""Renaming and moving folders."""

import pytest

from domain.access import Caller
from domain.documents import Document
from domain.errors import FolderExists, Invalid
from domain.paths import FolderPath
from domain.use_cases.move_folder import Moved, MoveFolder
from tests.domain.world import NEVER_ASKED, World

BLIND = MoveFolder(documents=NEVER_ASKED, now=NEVER_ASKED)


async def file(world: World, caller: Caller, *folders: str | None) -> list[Document]:
    """Record a document in each of these folders."""
    return [await world.record(caller, b"", folder=folder) for folder in folders]


async def move(world: World, caller: Caller, source: str, target: str) -> Moved:
    return await world.move_folder(caller, {"from": source, "to": target})


async def tree(world: World, caller: Caller, parent: str = "/") -> dict[str, int]:
    """Return every folder with the number of documents in it and below it."""
    found: dict[str, int] = {}
    for folder, documents in (await world.folders(caller, parent=parent, per_page="100")).items():
        found |= {folder: documents, **await tree(world, caller, folder)}
    return found


async def test_a_folder_moves_with_everything_in_it_and_below_it_and_nothing_else(world: World) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/x", "/a/x/y", "/a/x/y", "/a/xy", "/a", "/x", None)
    assert await move(world, caller, "/a/x", "/c/d/z") == Moved(FolderPath("/c/d/z"), 3)
    assert await tree(world, caller) == {
        "/a": 2, "/a/xy": 1, "/c": 3, "/c/d": 3, "/c/d/z": 3, "/c/d/z/y": 2, "/x": 1,
    }  # fmt: skip


async def refused_members(world: World, caller: Caller, source: str, target: str) -> set[str]:
    before = await tree(world, caller)
    with pytest.raises(Invalid) as refused:
        await move(world, caller, source, target)
    assert await tree(world, caller) == before
    return set(refused.value.fields)


@pytest.mark.parametrize("source", ["/b", "/a/c", "/A", "/ab", "/a/b/c"])
async def test_a_missing_folder_is_refused_on_from(world: World, source: str) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/b")
    assert await refused_members(world, caller, source, "/new") == {"from"}
    # A missing source is reported before an existing target.
    assert await refused_members(world, caller, source, "/a/b/c/d" if source != "/a/b/c" else "/a") == {"from"}


@pytest.mark.parametrize("target", ["/b", "/b/c", "/b/", "/a"])
async def test_an_existing_target_is_refused(world: World, target: str) -> None:
    caller = await world.caller()
    await file(world, caller, "/a/x", "/b/c")
    before = await tree(world, caller)
    with pytest.raises(FolderExists):
        await move(world, caller, "/a/x", target)
    assert await tree(world, caller) == before


@pytest.mark.parametrize("target", ["/a", "/a/", "/a/b", "/a/new/x"])
async def test_a_target_inside_the_folder_is_refused_before_any_port_is_asked(world: World, target: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), {"from": "/a", "to": target})
    assert set(refused.value.fields) == {"to"}


async def test_a_move_that_makes_a_folder_deeper_than_20_levels_is_refused(world: World) -> None:
    caller = await world.caller()
    # The deepest folder is empty and still counts.
    _, document = await file(world, caller, "/a/b", "/a/b/c/d")
    await world.delete_document(caller, document.id, None)
    assert await refused_members(world, caller, "/a/b", "/x" * 19) == {"to"}
    assert await refused_members(world, caller, "/a", "/x" * 18) == {"to"}
    assert await move(world, caller, "/a/b", "/x" * 18) == Moved(FolderPath("/x" * 18), 1)
    assert await world.folders(caller, parent="/x" * 18 + "/c") == {"/x" * 18 + "/c/d": 0}
