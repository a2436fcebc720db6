"""The lists of documents, folders and tags: how a query becomes a filter and a page.

What a repository finds is proven for memory and Postgres in tests/contracts/test_search.py and test_lists.py.
"""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Caller
from domain.documents import Document
from domain.errors import Invalid
from domain.pages import Page
from domain.use_cases.find_documents import FindDocuments, Listing
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World

BLIND = FindDocuments(documents=NEVER_ASKED)


async def several(world: World, caller: Caller, number: int, **changes: object) -> list[Document]:
    """Record documents and return them newest first."""
    return [await world.record(caller, b"", **changes) for _ in range(number)][::-1]


async def listing(world: World, caller: Caller, **query: object) -> Listing:
    return await world.find_documents(caller, query)


@pytest.mark.parametrize(
    ("folder", "below", "alone"),
    [
        ("/a/", ["/a/b/c", "/a/b", "/a"], ["/a"]),
        ("/", ["/A", "/ab", "/a/b/c", "/a/b", "/a", "/"], ["/"]),
    ],
)
async def test_a_folder_filter_includes_subfolders_unless_recursive_is_false(
    world: World, folder: str, below: list[str], alone: list[str]
) -> None:
    caller = await world.caller()
    for name in ("/", "/a", "/a/b", "/a/b/c", "/ab", "/A"):
        await world.record(caller, name=name, folder=name)
    assert await world.names(caller, folder=folder) == below
    for recursive, expected in (("true", below), ("1", below), ("false", alone), ("0", alone)):
        assert await world.names(caller, folder=folder, recursive=recursive) == expected


async def test_a_document_must_pass_every_given_filter(world: World) -> None:
    caller = await world.caller()
    wanted: dict[str, Any] = {
        "name": "wanted",
        "folder": "/a",
        "tags": ["t"],
        "mime_type": "text/csv",
        "description": "needle",
    }
    others: dict[str, object] = {"folder": "/b", "tags": [], "mime_type": "text/plain", "description": None}
    await world.record(caller, **wanted)
    for member, value in others.items():
        await world.record(caller, **{**wanted, "name": member, member: value})
    query = {"folder": "/a", "tag": ["t"], "mime_type": "TEXT/CSV", "search": "NEEDLE", "created_after": "2026-04-17"}
    query |= {"created_before": "2026-04-18", "sha256": hashlib.sha256(b"%PDF-1.7").hexdigest().upper()}
    assert await world.names(caller, **query) == ["wanted"]
    for other in ({"created_after": "2026-04-18"}, {"created_before": "2026-04-17"}, {"sha256": "0" * 64}):
        assert await world.names(caller, **query | other) == []
    # Without one of the filters, the document that differs there is listed too.
    for omitted, found in (
        ("folder", "folder"),
        ("tag", "tags"),
        ("mime_type", "mime_type"),
        ("search", "description"),
    ):
        rest = {name: value for name, value in query.items() if name != omitted}
        assert await world.names(caller, **rest) == [found, "wanted"]


async def test_created_after_includes_its_moment_and_created_before_does_not(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, name="a")
    for offset, after, before in ((-1, ["a"], []), (0, ["a"], []), (1, [], ["a"])):
        moment = (document.created_at + timedelta(seconds=offset)).isoformat()
        # The plus of the offset may arrive as a space.
        for sent in (moment, moment.replace("+", " ")):
            assert await world.names(caller, created_after=sent) == after
            assert await world.names(caller, created_before=sent) == before


@pytest.mark.parametrize(
    ("recorded", "wanted"),
    [
        *(("application/pdf", "APPLICATION/Pdf"), ("image/svg+xml", "image/svg xml"), ("a/b; c=D", "A/B; C=D")),
        *(("text/plain", " text/plain "), ("a/b+c;d=e", "a/b c;d=e")),
    ],
)
async def test_a_media_type_is_found_in_any_letter_case_and_with_a_space_for_its_plus(
    world: World, recorded: str, wanted: str
) -> None:
    caller = await world.caller()
    await world.record(caller, name="wanted", mime_type=recorded)
    await world.record(caller, name="other", mime_type="text/html")
    assert await world.names(caller, mime_type=wanted) == ["wanted"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("search", text) for text in ("x" * 256, "a\nb", "\0", "\ud800")],
        *[("cursor", id_.removeprefix("doc_")) for id_ in MALFORMED_IDS.values() if id_.startswith("doc_")],
        *[("recursive", "false"), ("recursive", "0")],
        *[("page", "2"), ("page", "1000")],
    ],
)
async def test_an_invalid_search_cursor_or_combination_is_refused_by_name(world: World, name: str, value: str) -> None:
    query = {name: value} | ({"cursor": "0" * 26} if name == "page" else {})
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), query)
    assert set(refused.value.fields) == {name}


async def test_a_parameter_with_its_default_value_changes_nothing(world: World) -> None:
    caller = await world.caller()
    await world.record(caller)
    sent = {"page": "1", "per_page": "25", "recursive": "true", "search": ""}
    assert await world.find_documents(caller, sent) == await world.find_documents(caller, {})
    after = {"cursor": world.new_id(world.clock())}
    assert await world.find_documents(caller, sent | after) == await world.find_documents(caller, after)


@pytest.mark.parametrize("no_filter", [{"folder": "/"}, {"folder": "/", "recursive": "1"}, {"search": ""}], ids=repr)
async def test_the_total_is_exact_if_the_parameters_exclude_no_document(
    world: World, no_filter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.memory.queries.COUNT_MAX", 1)
    caller = await world.caller()
    await several(world, caller, 3)
    found = (await listing(world, caller, **no_filter)).found
    assert (found.total, found.total_is_exact) == (3, True)


async def test_pages_are_numbered_from_1_and_have_25_documents(world: World) -> None:
    caller = await world.caller()
    documents = await several(world, caller, 26)
    first = await listing(world, caller)
    assert first.found.documents == tuple(documents[:25])
    assert (first.number, first.size, first.found.total, first.found.more) == (1, 25, 26, True)
    second = await listing(world, caller, page="2")
    assert second.found.documents == tuple(documents[25:])
    assert (second.number, second.size, second.found.total, second.found.more) == (2, 25, 26, False)
    assert second.next_cursor is None


@settings(max_examples=30)
@given(st.integers(0, 9), st.integers(1, 4))
async def test_following_the_cursor_lists_every_matching_document_once(matching: int, size: int) -> None:
    world = World()
    caller = await world.caller()
    wanted = await several(world, caller, matching, tags=["t"])
    await several(world, caller, 2)
    page = await listing(world, caller, tag=["t"], per_page=str(size))
    seen, pages = list(page.found.documents), 1
    while page.next_cursor is not None:
        page = await listing(world, caller, tag=["t"], per_page=str(size), cursor=page.next_cursor)
        assert (page.number, page.size, page.found.total) == (None, size, matching)
        seen, pages = seen + list(page.found.documents), pages + 1
        # Checked in the loop, because a wrong cursor could repeat pages for ever.
        assert seen == wanted[: len(seen)]
    assert seen == wanted
    # The last page is not empty.
    assert pages == max(1, -(-matching // size))


async def test_folders_and_tags_are_listed_in_pages(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, tags=["a", "b", "c"])
    for name in ("a", "b", "c"):
        await world.record(caller, folder=f"/p/{name}")
    assert await world.folders(caller) == await world.folders(caller, parent="/") == {"/p": 3}
    for number, expected in ((1, ["a", "b"]), (2, ["c"]), (3, [])):
        query = {"page": str(number), "per_page": "2"}
        folders, page = await world.list_folders(caller, {**query, "parent": "/p/"})
        assert [row.folder for row in folders.rows] == [f"/p/{name}" for name in expected]
        assert (folders.total, page) == (3, Page(number, 2))
        tags, page = await world.list_tags(caller, query)
        assert [row.tag for row in tags.rows] == expected
        assert (tags.total, page) == (3, Page(number, 2))
