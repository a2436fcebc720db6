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


async def test_a_folder_moves_with_everything_in_it_and_below_it_and_nothing_else(world: World, caller: Caller) -> None:
    await file(world, caller, "/a/x", "/a/x/y", "/a/x/y", "/a/xy", "/a", "/x", None)
    moved = await world.move_folder(caller, {"from": "/a/x", "to": "/c/d/z"})
    assert moved == Moved(FolderPath("/c/d/z"), 3)
    assert await world.folders(caller) == {"/a": 2, "/c": 3, "/x": 1}
    assert await world.folders(caller, parent="/a") == {"/a/xy": 1}
    assert await world.folders(caller, parent="/c/d/z") == {"/c/d/z/y": 2}


@pytest.mark.parametrize(
    ("source", "target", "members"),
    [
        *(("/c", "/new", {"from"}), ("/A", "/new", {"from"}), ("/ab", "/new", {"from"})),
        # A missing source is reported before an existing target.
        ("/c", "/b", {"from"}),
        *(("/a/b", "/x" * 19, {"to"}), ("/a", "/x" * 18, {"to"})),
        *(("/a/b", "/b", None), ("/a/b", "/b/c/", None), ("/a/b", "/a", None)),
    ],
)
async def test_a_missing_source_an_existing_target_and_a_too_deep_one_are_refused(
    world: World, caller: Caller, source: str, target: str, members: set[str] | None
) -> None:
    # The deepest folder is empty and still counts.
    *_, document = await file(world, caller, "/a/b", "/b/c", "/a/b/c/d")
    await world.delete_document(caller, document.id, None)
    before = await world.folders(caller)
    with pytest.raises(Invalid if members else FolderExists) as refused:
        await world.move_folder(caller, {"from": source, "to": target})
    assert set(getattr(refused.value, "fields", ())) == (members or set())
    assert await world.folders(caller) == before


async def test_a_target_that_makes_a_path_below_it_too_long_is_refused_with_the_longest(
    world: World, caller: Caller
) -> None:
    await file(world, caller, f"/a/{'b' * 255}")
    target = f"/{chr(0x1F600) * 255}" * 4 + f"/{'c' * 255}" * 4
    with pytest.raises(Invalid) as refused:
        await world.move_folder(caller, {"from": "/a", "to": target})
    assert refused.value.fields == {"to": "makes a path below it longer than 5120 bytes in UTF-8; choose a shorter one"}


@pytest.mark.parametrize("target", ["/a", "/a/", "/a/b", "/a/new/x"])
async def test_a_target_inside_the_folder_is_refused_before_any_port_is_asked(caller: Caller, target: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(caller, {"from": "/a", "to": target})
    assert set(refused.value.fields) == {"to"}


async def test_an_empty_folder_at_the_target_is_replaced_with_the_folders_below_it(
    world: World, caller: Caller
) -> None:
    *_, emptied = await file(world, caller, "/a/x", "/b/c/d")
    await world.delete_document(caller, emptied.id, None)
    assert await world.move_folder(caller, {"from": "/a", "to": "/b"}) == Moved(FolderPath("/b"), 1)
    assert await world.folders(caller) == {"/b": 1}
    assert await world.folders(caller, parent="/b") == {"/b/x": 1}


async def test_an_empty_folder_can_move_to_the_place_of_the_empty_folder_above_it(world: World, caller: Caller) -> None:
    (emptied,) = await file(world, caller, "/a/b/c")
    await world.delete_document(caller, emptied.id, None)
    assert await world.move_folder(caller, {"from": "/a/b", "to": "/a"}) == Moved(FolderPath("/a"), 0)
    assert await world.folders(caller, parent="/a") == {"/a/c": 0}
