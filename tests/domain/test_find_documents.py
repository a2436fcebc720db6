"""Finding documents by what they are."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.errors import InsufficientPermissions, Invalid
from domain.use_cases.find_documents import FindDocuments
from tests.domain.anything import TEXTS
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_ASKED, World

BLIND = FindDocuments(documents=NEVER_ASKED)


async def test_without_a_filter_everything_is_found_newest_first(world: World) -> None:
    caller = await world.caller()
    documents = [await world.record(caller, name=name) for name in ("b", "a", "c")]
    await world.record(await world.caller(), name="another workspace's")
    found = (await world.find_documents(caller, {})).found
    assert found.documents == tuple(reversed(documents))
    assert (found.total, found.total_is_exact, found.more) == (3, True, False)


async def test_a_document_is_found_as_it_is_now(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller, name="old", folder="/old", tags=["old"], description="old")
    now = {"name": "new", "folder": "/new", "tags": ["new"], "description": "new"}
    await world.patch_document(caller, document.id, now)
    for query in ({"search": "old"}, {"folder": "/old"}, {"tag": ["old"]}):
        assert await world.names(caller, **query) == []
    for query in ({"search": "new"}, {"folder": "/new"}, {"tag": ["new"]}):
        assert await world.names(caller, **query) == ["new"]


@pytest.fixture
async def filed(world: World) -> Caller:
    """Somebody whose documents have their folders for names."""
    caller = await world.caller()
    for folder in ("/", "/a", "/a/b", "/a/b/c", "/ab", "/A"):
        await world.record(caller, name=folder, folder=folder)
    return caller


@pytest.mark.parametrize(
    ("folder", "below", "alone"),
    [
        ("/a", ["/a/b/c", "/a/b", "/a"], ["/a"]),
        ("/a/", ["/a/b/c", "/a/b", "/a"], ["/a"]),
        ("/a/b", ["/a/b/c", "/a/b"], ["/a/b"]),
        ("/A", ["/A"], ["/A"]),
        ("/b", [], []),
        ("/", ["/A", "/ab", "/a/b/c", "/a/b", "/a", "/"], ["/"]),
    ],
)
async def test_a_folder_is_everything_in_it_and_below_it_or_it_alone(
    world: World, filed: Caller, folder: str, below: list[str], alone: list[str]
) -> None:
    assert await world.names(filed, folder=folder) == below
    for recursive in ("true", "1"):
        assert await world.names(filed, folder=folder, recursive=recursive) == below
    for recursive in ("false", "0"):
        assert await world.names(filed, folder=folder, recursive=recursive) == alone


async def test_of_several_tags_all_are_wanted(world: World) -> None:
    caller = await world.caller()
    for name, tags in {"x": ["x"], "xy": ["x", "y"], "yxz": ["y", "x", "z"], "none": [], "X": ["X"]}.items():
        await world.record(caller, name=name, tags=tags)
    assert await world.names(caller, tag=["x"]) == ["yxz", "xy", "x"]
    assert await world.names(caller, tag=["x", "y"]) == ["yxz", "xy"]
    assert await world.names(caller, tag=["y", " x ", "y"]) == ["yxz", "xy"]
    assert await world.names(caller, tag=["x", "q"]) == []
    assert await world.names(caller, tag=["X"]) == ["X"]


async def test_tags_and_folders_are_compared_in_nfc(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, name="n", tags=["e\u0301"], folder="/\xe9")
    assert await world.names(caller, tag=["\xe9"], folder="/e\u0301") == ["n"]


async def test_a_media_type_is_the_very_one_that_was_recorded(world: World) -> None:
    caller = await world.caller()
    for number, mime_type in enumerate(["text/csv", "TEXT/CSV", "text/csv; charset=utf-8"]):
        await world.record(caller, name=str(number), mime_type=mime_type)
    assert await world.names(caller, mime_type="text/csv") == ["0"]
    assert await world.names(caller, mime_type="TEXT/CSV") == ["1"]
    assert await world.names(caller, mime_type="text/csv; charset=utf-8") == ["2"]


async def test_created_after_takes_what_was_recorded_at_that_very_time_too(world: World) -> None:
    caller = await world.caller()
    world.clock.advance(microseconds=1)
    document = await world.record(caller, name="n")
    at = document.created_at
    for listed in (at, at - timedelta(microseconds=1), at - timedelta(days=1)):
        assert await world.names(caller, created_after=listed.isoformat()) == ["n"]
    assert await world.names(caller, created_after=(at + timedelta(microseconds=1)).isoformat()) == []
    assert await world.names(caller, created_after="2026-04-17T12:45:00.000001+02:00") == ["n"]
    assert await world.names(caller, created_after="2026-04-17T12:45:00.000002+02:00") == []


async def test_created_after_a_date_is_after_its_midnight_in_utc(world: World) -> None:
    caller = await world.caller()
    for name, back in (("at midnight", timedelta()), ("before it", timedelta(microseconds=1))):
        document = await world.record(caller, name=name)
        world.documents.records_of(caller.workspace_id).documents[document.id] = replace(
            document, created_at=document.created_at.replace(hour=0, minute=0) - back
        )
    assert await world.names(caller, created_after="2026-04-17") == ["at midnight"]
    assert await world.names(caller, created_after="2026-04-16") == ["before it", "at midnight"]
    assert await world.names(caller, created_after="2026-04-18") == []


async def test_a_change_makes_no_document_younger(world: World) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    world.clock.advance(days=1)
    await world.patch_document(caller, document.id, {"name": "b"})
    assert await world.names(caller, created_after="2026-04-18") == []


async def test_of_several_filters_all_are_held(world: World) -> None:
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
    query = {"folder": "/a", "tag": ["t"], "mime_type": "text/csv", "search": "NEEDLE", "created_after": "2026-04-17"}
    assert await world.names(caller, **query) == ["wanted"]
    # None of them is held for nothing: without it, the document that differs there is found too.
    for left_out, found in (
        ("folder", "folder"),
        ("tag", "tags"),
        ("mime_type", "mime_type"),
        ("search", "description"),
    ):
        rest = {name: value for name, value in query.items() if name != left_out}
        assert await world.names(caller, **rest) == [found, "wanted"]


WRONG: dict[str, tuple[object, ...]] = {
    "folder": ("", "a", "/a//b", "/../a", "/a" * 21, "/a\0"),
    "recursive": ("", "yes", "TRUE", "2"),
    "tag": ([""], ["x" * 65], ["a\nb"], [str(number) for number in range(51)]),
    "mime_type": ("", "pdf", "text/", "a/b c", "text/*"),
    "search": ("x" * 256, "a\nb", "\0", "\ud800"),
    "created_after": (
        "",
        "yesterday",
        "2026-04-31",
        "2026-4-1",
        "20260417",
        "2026-04-17T10:45",
        "1776422700",
        "٢٠٢٦-٠٤-١٧",
    ),
    "page": ("", "0", "-1", "1.0", "x", "9" * 30),
    "per_page": ("", "0", "101"),
    "cursor": ("", "x", "0", *(id_.removeprefix("doc_") for id_ in MALFORMED_IDS.values() if id_.startswith("doc_"))),
    "sort": ("name",),
    "tags": (["t"],),
    "workspace_id": ("ws_01HY0000000000000000000000",),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
async def test_a_wrong_parameter_is_named_and_costs_no_call(world: World, name: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), {"folder": "/a", name: value})
    assert set(refused.value.fields) == {name}


async def test_every_wrong_parameter_is_named_at_once(world: World) -> None:
    wrong = {name: values[0] for name, values in WRONG.items()}
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), wrong)
    assert set(refused.value.fields) == set(wrong)


@pytest.mark.parametrize("recursive", ["false", "0"])
async def test_a_folder_alone_has_to_be_named(world: World, recursive: str) -> None:
    with pytest.raises(Invalid) as refused:
        await BLIND(await world.caller(), {"recursive": recursive})
    assert set(refused.value.fields) == {"recursive"}


async def test_a_default_that_is_sent_means_what_it_means_unsent(world: World) -> None:
    caller = await world.caller()
    await world.record(caller)
    sent = {"page": "1", "per_page": "25", "recursive": "true", "search": ""}
    assert await world.find_documents(caller, sent) == await world.find_documents(caller, {})
    after = {"cursor": world.new_id(world.clock())}
    assert await world.find_documents(caller, sent | after) == await world.find_documents(caller, after)


@given(
    st.dictionaries(st.sampled_from(sorted(WRONG)), TEXTS, max_size=4),
    st.sets(st.sampled_from(sorted(set(Permission) - {Permission.READ_DOCUMENTS}))),
)
async def test_the_permission_is_checked_before_anything_else(
    query: dict[str, object], granted: set[Permission]
) -> None:
    caller = replace(await World().caller(), permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions, match="read:documents"):
        await BLIND(caller, query)


async def test_finding_needs_no_other_permission(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, name="n")
    reader = replace(caller, permissions=frozenset({Permission.READ_DOCUMENTS}))
    assert await world.names(reader) == ["n"]
