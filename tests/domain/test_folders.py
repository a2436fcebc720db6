"""Moving and deleting folders: the results and errors of the use cases.

tests/contracts/test_folders.py and test_empty_folders.py prove how the folders change.
"""

import pytest

from domain.access import Caller
from domain.errors import FolderExists, FolderInUse, Invalid
from domain.paths import FolderPath
from domain.use_cases.move_folder import Moved, MoveFolder
from tests.domain.world import NEVER_CALLED, World


@pytest.fixture
async def filed(world: World, caller: Caller) -> Caller:
    """A caller with a document in `/a/b` and one in `/c`, and with the empty folder `/empty`."""
    for folder in ("/a/b", "/c"):
        await world.record(caller, folder=folder)
    await world.delete_document(caller, (await world.record(caller, folder="/empty")).id, None)
    return caller


async def test_a_move_reports_the_new_path_and_the_number_of_documents(world: World, filed: Caller) -> None:
    assert await world.move_folder(filed, {"from": "/a/", "to": "/x/y/"}, None) == Moved(FolderPath("/x/y"), 1)
    assert await world.folders(filed) == {"/c": 1, "/empty": 0, "/x": 1}


@pytest.mark.parametrize(
    ("source", "target", "member"),
    [("/absent", "/c", "from"), ("/a", "/x" * 20, "to"), ("/a", "/c", None)],
)
async def test_a_move_from_a_missing_folder_or_to_an_existing_or_too_deep_one_is_refused(
    world: World, filed: Caller, source: str, target: str, member: str | None
) -> None:
    before = await world.folders(filed)
    with pytest.raises(Invalid if member else FolderExists) as refused:
        await world.move_folder(filed, {"from": source, "to": target}, None)
    assert list(getattr(refused.value, "fields", ())) == ([member] if member else [])
    assert await world.folders(filed) == before


@pytest.mark.parametrize("target", ["/a", "/a/", "/a/b", "/a/new/x"])
async def test_a_target_inside_the_folder_is_refused_before_any_port_is_called(caller: Caller, target: str) -> None:
    with pytest.raises(Invalid) as refused:
        await MoveFolder(documents=NEVER_CALLED, now=NEVER_CALLED)(caller, {"from": "/a", "to": target, "x": 1}, None)
    assert set(refused.value.fields) == {"to", "x"}


async def test_only_a_folder_that_exists_and_has_no_documents_is_deleted(world: World, filed: Caller) -> None:
    with pytest.raises(FolderInUse):
        await world.delete_folder(filed, {"folder": "/a"}, None)
    await world.delete_folder(filed, {"folder": "/empty/"}, None)
    with pytest.raises(Invalid, match="folder is not a folder"):
        await world.delete_folder(filed, {"folder": "/empty"}, None)
    assert await world.folders(filed) == {"/a": 1, "/c": 1}
