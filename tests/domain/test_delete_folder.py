"""Deleting folders in which no document is."""

import pytest

from domain.access import Caller
from domain.errors import FolderInUse, Invalid
from tests.domain.world import World


@pytest.fixture
async def emptied(world: World, caller: Caller) -> Caller:
    """A caller with the folders /a/b/c, /ab and /used/below, of which only the last one has a document."""
    for folder in ("/a/b/c", "/ab"):
        await world.delete_document(caller, (await world.record(caller, folder=folder)).id, None)
    await world.record(caller, folder="/used/below")
    return caller


@pytest.mark.parametrize(
    ("folder", "left", "left_in_a"),
    [
        *(("/a", {"/ab": 0, "/used": 1}, {}), ("/a/b/", {"/a": 0, "/ab": 0, "/used": 1}, {})),
        *(("/a/b/c", {"/a": 0, "/ab": 0, "/used": 1}, {"/a/b": 0}), ("/ab", {"/a": 0, "/used": 1}, {"/a/b": 0})),
    ],
)
async def test_an_empty_folder_is_deleted_with_the_folders_below_it_and_no_other(
    world: World, emptied: Caller, folder: str, left: dict[str, int], left_in_a: dict[str, int]
) -> None:
    await world.delete_folder(emptied, {"folder": folder})
    assert await world.folders(emptied) == left
    assert await world.folders(emptied, parent="/a") == left_in_a


@pytest.mark.parametrize("folder", ["/used", "/used/below"])
async def test_a_folder_with_documents_in_it_or_below_it_is_in_use(world: World, emptied: Caller, folder: str) -> None:
    with pytest.raises(FolderInUse):
        await world.delete_folder(emptied, {"folder": folder})
    assert await world.folders(emptied, parent="/used") == {"/used/below": 1}


@pytest.mark.parametrize("folder", ["/absent", "/A", "/a/c", "/a/b/c/d"])
async def test_a_folder_that_does_not_exist_is_the_wrong_parameter(world: World, emptied: Caller, folder: str) -> None:
    before = await world.folders(emptied)
    with pytest.raises(Invalid, match="folder is not a folder"):
        await world.delete_folder(emptied, {"folder": folder})
    assert await world.folders(emptied) == before


async def test_another_workspaces_folder_does_not_exist(world: World, emptied: Caller) -> None:
    with pytest.raises(Invalid, match="folder is not a folder"):
        await world.delete_folder(await world.caller(), {"folder": "/a"})
    assert "/a" in await world.folders(emptied)
