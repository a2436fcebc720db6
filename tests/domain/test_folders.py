"""Moving and deleting folders: the results and errors of the use cases.

tests/contracts/test_folders.py and test_empty_folders.py prove how the folders change.
"""

import pytest

from domain.access import Caller
from domain.errors import FolderExists, Invalid
from domain.use_cases.move_folder import MoveFolder
from tests.domain.world import NEVER_CALLED, World


@pytest.fixture
async def filed(world: World, caller: Caller) -> Caller:
    """A caller with a document in `/a/b` and one in `/c`, and with the empty folder `/empty`."""
    for folder in ("/a/b", "/c"):
        await world.record(caller, folder=folder)
    await world.delete_document(caller, (await world.record(caller, folder="/empty")).id, None)
    return caller


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
