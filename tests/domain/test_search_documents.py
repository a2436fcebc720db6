"""Finding documents by a part of their name or description."""

import pytest

from tests.domain.world import World


@pytest.mark.parametrize(
    ("search", "name", "description"),
    [
        ("nda", "Acme-NDA-2026.pdf", None),
        ("NDA", "a", "the nda of 2026"),
        ("b\xe4r", "B\xc4R", None),
        ("B\xc4R", "b\xe4r", None),
        ("ba\u0308r", "B\xc4R", None),
        ("STRASSE", "Stra\xdfe", None),
        ("stra\xdfe", "STRASSE", None),
        ("\u0130", "\u0130stanbul", None),
        ("\u0130STANBUL", "\u0130stanbul", None),
        ("\u03c3", "a", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"),
        ("\u03a3", "\u03bb\u03cc\u03b3\u03bf\u03c2", None),
        ("\ufb01", "FILE", None),
        ("\u5951\u7d04", "\u5951\u7d04\u66f8.pdf", None),
        ("\N{GRINNING FACE}", "a\N{GRINNING FACE}b", None),
        (" ", "a b", None),
        ("x" * 255, "X" * 255, None),
    ],
    ids=ascii,
)
async def test_search_is_any_part_of_name_or_description_in_any_letter_case(
    world: World, search: str, name: str, description: str | None
) -> None:
    caller = await world.caller()
    await world.record(caller, name=name, description=description)
    await world.record(caller, name="other", description="else")
    assert await world.names(caller, search=search) == [name]


@pytest.mark.parametrize(
    ("search", "name"),
    [("e", "\xe9"), ("a", "\xe4"), ("istanbul", "\u0130stanbul"), ("i", "\u0131"), ("none", "a"), ("ab", "a")],
    ids=ascii,
)
async def test_other_letters_are_not_found(world: World, search: str, name: str) -> None:
    caller = await world.caller()
    # Nor does a match run from the end of the name into the description.
    await world.record(caller, name=name, description="b")
    assert await world.names(caller, search=search) == []


WILD = [
    "%",
    "_",
    "\\",
    "\\%",
    "*",
    "?",
    ".",
    "[a]",
    "^",
    "$",
    "'",
    '"',
    "--",
    "|",
    "&",
    ":*",
    "a%b",
    "a_b",
    "(",
    "\u2028",
]


@pytest.mark.parametrize("wild", WILD, ids=ascii)
async def test_no_character_is_a_wildcard(world: World, wild: str) -> None:
    caller = await world.caller()
    for name in ("plain", "axb", f"x{wild}y"):
        await world.record(caller, name=name)
    assert await world.names(caller, search=wild) == [f"x{wild}y"]


async def test_an_empty_search_finds_everything(world: World) -> None:
    caller = await world.caller()
    await world.record(caller, name="a")
    assert await world.names(caller, search="") == ["a"]


@pytest.mark.parametrize("search", ["a", "ab", "a-b", "ab cd", "%%%", "___", "a.b"])
async def test_what_no_index_finds_is_searched_in_the_newest_documents_of_the_workspace(
    world: World, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.memory.queries.SEARCH_WINDOW", 3)
    caller = await world.caller()
    await world.record(caller, name=f"beyond {search}")
    await world.record(caller, name=f"last {search}", tags=["t"])
    await world.record(caller, name="other")
    await world.record(caller, name=f"first {search}")
    assert await world.names(caller, search=search) == [f"first {search}", f"last {search}"]
    # The window is that of the workspace: a filter besides makes it no wider.
    assert await world.names(caller, search=search, tag=["t"]) == [f"last {search}"]


@pytest.mark.parametrize("search", ["abc", "a-bcd", "123", "\u5951\u7d04\u66f8", "\xdfa"])
async def test_three_letters_or_digits_in_a_row_are_found_in_all_documents(
    world: World, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.memory.queries.SEARCH_WINDOW", 1)
    caller = await world.caller()
    await world.record(caller, name=search)
    await world.record(caller, name="other")
    assert await world.names(caller, search=search) == [search]
