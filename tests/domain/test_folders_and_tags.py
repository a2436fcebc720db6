"""What folders and tags there are, and how many documents each has."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.errors import InsufficientPermissions, Invalid
from domain.members import Members
from domain.pages import Page
from domain.use_cases.find_documents import ListFolders, ListTags
from tests.domain.anything import TEXTS
from tests.domain.world import NEVER_ASKED, World

BLIND: dict[str, Callable[[Caller, Members], Awaitable[Any]]] = {
    "folders": ListFolders(documents=NEVER_ASKED),
    "tags": ListTags(documents=NEVER_ASKED),
}


async def tags(world: World, caller: Caller, **query: object) -> list[tuple[str, int]]:
    rows, _ = await world.list_tags(caller, query)
    return [(row.tag, row.documents) for row in rows.rows]


async def test_a_folder_counts_what_is_in_it_and_below_it(world: World) -> None:
    caller = await world.caller()
    for folder in ("/a", "/a/b", "/a/b", "/a/b/c", "/ab", None):
        await world.record(caller, folder=folder)
    assert await world.folders(caller) == {"/a": 4, "/ab": 1}
    assert await world.folders(caller, parent="/") == {"/a": 4, "/ab": 1}
    assert await world.folders(caller, parent="/a/") == {"/a/b": 3}
    assert await world.folders(caller, parent="/a/b") == {"/a/b/c": 1}
    assert await world.folders(caller, parent="/a/b/c") == {}
    assert await world.folders(caller, parent="/nowhere") == {}


async def test_folders_are_in_the_order_of_their_code_points(world: World) -> None:
    caller = await world.caller()
    for folder in ("/b", "/\xe4", "/a b", "/B", "/a/x", "/ab", "/\N{GRINNING FACE}", "/\uff5e", "/1"):
        await world.record(caller, folder=folder)
    expected = ["/1", "/B", "/a", "/a b", "/ab", "/b", "/\xe4", "/\uff5e", "/\N{GRINNING FACE}"]
    assert list(await world.folders(caller)) == expected


async def test_a_folder_stays_when_it_is_empty(world: World) -> None:
    caller = await world.caller()
    deleted, moved = await world.record(caller, folder="/a/b"), await world.record(caller, folder="/c")
    await world.delete_document(caller, deleted.id, None)
    await world.patch_document(caller, moved.id, {"folder": None})
    assert await world.folders(caller) == {"/a": 0, "/c": 0}
    assert await world.folders(caller, parent="/a") == {"/a/b": 0}


async def test_a_tag_counts_the_documents_that_have_it_the_most_frequent_first(world: World) -> None:
    caller = await world.caller()
    for sent in (["b", "c"], ["c", "a"], ["c", "b", "b"], [], ["C"], ["\xe4"]):
        await world.record(caller, tags=sent)
    assert await tags(world, caller) == [("c", 3), ("b", 2), ("C", 1), ("a", 1), ("\xe4", 1)]


async def test_a_tag_is_gone_with_the_last_document_that_has_it(world: World) -> None:
    caller = await world.caller()
    one, other = await world.record(caller, tags=["a", "b"]), await world.record(caller, tags=["a"])
    await world.patch_document(caller, one.id, {"tags": ["a"]})
    assert await tags(world, caller) == [("a", 2)]
    await world.delete_document(caller, other.id, None)
    assert await tags(world, caller) == [("a", 1)]


async def test_another_workspaces_are_not_seen(world: World) -> None:
    await world.record(await world.caller(), folder="/a", tags=["t"])
    caller = await world.caller()
    assert await world.folders(caller) == {}
    assert await tags(world, caller) == []


async def test_they_come_in_pages_with_their_number(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, tags=["a", "b", "c"])
    for name in ("a", "b", "c"):
        await world.record(caller, folder=f"/p/{name}")
    for number, expected in ((1, ["a", "b"]), (2, ["c"]), (3, [])):
        query = {"page": str(number), "per_page": "2"}
        folders, page = await world.list_folders(caller, {**query, "parent": "/p"})
        assert [row.folder for row in folders.rows] == [f"/p/{name}" for name in expected]
        assert (folders.total, page) == (3, Page(number, 2))
        found, page = await world.list_tags(caller, query)
        assert [row.tag for row in found.rows] == expected
        assert (found.total, page) == (3, Page(number, 2))


WRONG = [
    *[("folders", "parent", value) for value in ("", "a", "/a//b", "/..", "/a" * 21)],
    *[(kind, name, value) for kind in BLIND for name, value in (("page", "0"), ("per_page", "101"), ("search", "x"))],
    ("tags", "parent", "/"),
]


@pytest.mark.parametrize(("kind", "name", "value"), WRONG)
async def test_a_wrong_parameter_is_named_and_costs_no_call(world: World, kind: str, name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND[kind](await world.caller(), {name: value})
    assert set(refused.value.fields) == {name}


@pytest.mark.parametrize("kind", BLIND)
@given(
    query=st.dictionaries(st.sampled_from(["parent", "page", "sort"]), TEXTS),
    granted=st.sets(st.sampled_from(sorted(set(Permission) - {Permission.READ_DOCUMENTS}))),
)
async def test_the_permission_is_checked_before_anything_else(
    kind: str, query: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="read:documents"):
        await BLIND[kind](caller, query)


async def test_listing_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, folder="/a", tags=["t"])
    reader = replace(caller, permissions=frozenset({Permission.READ_DOCUMENTS}))
    assert await world.folders(reader) == {"/a": 1}
    assert await tags(world, reader) == [("t", 1)]
