"""What `DocumentRepository.move_folder` and `folders` promise. test_empty_folders has the targets that exist."""

import pytest

from domain.paths import FolderPath
from domain.search import DocumentFilter
from ports.outcomes import FolderMoved, NoSuchFolder, TooDeep
from tests.contracts.records import Records, moved

FACE = "\N{GRINNING FACE}"


async def test_documents_follow_their_folder_and_keep_revision_and_time(records: Records) -> None:
    home = await records.workspace()
    top, inside, below = [await records.recorded(home, folder=folder) for folder in ("/a", "/a/b", "/a/b/c")]
    root = await records.recorded(home)
    records.clock.advance(hours=1)
    # The folders above the target are created.
    assert await records.move(home, "/a/b", "/y/z") == FolderMoved(2)
    there = (moved(below, "/y/z/c"), moved(inside, "/y/z"))
    assert await records.all(home) == (root, *there, top)
    assert await records.all(home, DocumentFilter(folder=FolderPath("/y/z"))) == there
    assert await records.all(home, DocumentFilter(folder=FolderPath("/a/b"))) == ()
    assert await records.folders(home) == {"/a": 1, "/y": 2, "/y/z": 2, "/y/z/c": 1}
    # The former path can be used again.
    again = await records.recorded(home, folder="/a/b")
    assert await records.all(home) == (again, root, *there, top)
    assert await records.move(home, "/y/z", "/z") == FolderMoved(2)
    assert await records.folders(home) == {"/a": 2, "/a/b": 1, "/y": 0, "/z": 2, "/z/c": 1}


async def test_an_empty_folder_moves_with_the_empty_folders_below_it(records: Records) -> None:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b/c")
    await records.delete(home, document.id)
    assert await records.move(home, "/a", "/z") == FolderMoved(0)
    assert await records.folders(home) == {"/z": 0, "/z/b": 0, "/z/b/c": 0}


async def test_a_missing_folder_is_not_moved_and_creates_none(records: Records) -> None:
    home = await records.workspace()
    await records.recorded(home, folder="/a/b")
    # The last two exist in another letter case.
    for source in ("/b", "/a/c", "/a/b/c", "/A", "/a/B"):
        assert await records.move(home, source, "/new/path") == NoSuchFolder()
    # The source is checked before the target.
    assert await records.move(home, "/b", "/a") == NoSuchFolder()
    assert await records.folders(home) == {"/a": 1, "/a/b": 1}


async def test_a_move_that_makes_any_folder_too_deep_is_refused(records: Records) -> None:
    home = await records.workspace()
    deep, other = await records.recorded(home, folder="/a/b/c"), await records.recorded(home, folder="/d")
    before = await records.folders(home)
    for target in ("/x" * 19, "/x" * 20):
        assert await records.move(home, "/a", target) == TooDeep()
        assert await records.folders(home) == before
    # Empty folders count too.
    await records.delete(home, deep.id)
    assert await records.move(home, "/a", "/x" * 19) == TooDeep()
    assert await records.move(home, "/a", "/x" * 18) == FolderMoved(0)
    assert await records.move(home, "/d", "/y" * 20) == FolderMoved(1)
    assert await records.current(other) == moved(other, "/y" * 20)


SIBLINGS = {
    "a prefix": ("/a", ["/ab", "/a!", "/a0", "/a.", "/A", "/a b", "/á", f"/a{FACE}", "/b/a", "/aa/a"]),
    "wildcards": ("/a_c%", ["/abc1", "/a_c", "/a_c%%", "/aXc%/b", "/a\\_c%"]),
    "backslash": ("/a\\", ["/a", "/a\\\\", "/a\\b"]),
    "quotes": ("/a'\"", ["/a'", '/a"', "/a''"]),
    "two levels": ("/a!/b", ["/a/b", "/a!", "/a!/b!", "/a!/b0", "/a!/B"]),
    "long": (f"/{'n' * 255}", [f"/{'n' * 254}", f"/{'n' * 254}m", f"/{'N' * 255}"]),
    "very long": (
        f"{f'/{FACE * 255}' * 3}/{'n' * 255}",
        [f"{f'/{FACE * 255}' * 3}/{'n' * 254}", f"{f'/{FACE * 255}' * 3}/{'n' * 254}m", f"/{FACE * 255}" * 4],
    ),
}
"""A folder, and others that a range of strings, a pattern, a letter case or a cut prefix would take for part of it."""


@pytest.mark.parametrize("kind", SIBLINGS)
async def test_only_the_content_of_a_folder_moves_with_it(records: Records, kind: str) -> None:
    folder, others = SIBLINGS[kind]
    target = "/z_%\\"
    home = await records.workspace()
    inside = [
        await records.recorded(home, folder=folder + below)
        for below in ("", "/a", "/a/a", "/!", "/0", f"/{FACE}", "/%")
    ]
    outside = [await records.recorded(home, folder=other) for other in others]
    counts = await records.folders(home)
    assert await records.move(home, folder, target) == FolderMoved(len(inside))
    there = [moved(document, target + (document.folder or "").removeprefix(folder)) for document in inside]
    assert await records.all(home) == (*reversed(outside), *reversed(there))
    # It moves back from a path with other siblings.
    assert await records.move(home, target, folder) == FolderMoved(len(inside))
    assert await records.all(home) == (*reversed(outside), *reversed(inside))
    assert {path: count for path, count in (await records.folders(home)).items() if path in counts} == counts


async def test_the_longest_paths_move(records: Records) -> None:
    home = await records.workspace()
    # 20 levels of 255 bytes, in 1,320 characters: more than the index of paths holds.
    levels = [f"/{level:02}{FACE * 63}" for level in range(20)]
    documents = [await records.recorded(home, folder="".join(levels[:depth])) for depth in range(1, 21)]
    top, *below = levels
    sibling = await records.recorded(home, folder="".join([*levels[:19], f"/19{FACE * 62}"]))
    assert await records.move(home, top, f"/{'z' * 255}") == FolderMoved(21)
    wanted = [f"/{'z' * 255}{''.join(below[:depth])}" for depth in range(20)]
    assert [document.folder for document in reversed(await records.all(home))][:20] == wanted
    assert await records.move(home, wanted[-1], f"{wanted[-2]}/{'z' * 255}") == FolderMoved(1)
    assert await records.current(documents[-1]) == moved(documents[-1], f"{wanted[-2]}/{'z' * 255}")
    assert await records.current(sibling) == moved(sibling, f"{wanted[-2]}/19{FACE * 62}")


async def test_the_folders_one_level_below_are_listed_with_the_count_of_all_documents_below(records: Records) -> None:
    home = await records.workspace()
    for folder in (None, "/a", "/a", "/a/b", "/a/b/c", "/a/b/c", "/ab/c", "/a!/c", "/a_/c", "/A/c"):
        await records.recorded(home, folder=folder)
    assert await records.children(home) == {"/A": 1, "/a": 5, "/a!": 1, "/a_": 1, "/ab": 1}
    assert await records.children(home, "/a") == {"/a/b": 3}
    assert await records.children(home, "/a/b") == {"/a/b/c": 2}
    assert await records.children(home, "/a_") == {"/a_/c": 1}
    for empty in ("/a/b/c", "/b", "/a/c", "/%", "/a%", "/__"):
        assert await records.children(home, empty) == {}

    # Long folders that differ in one letter are listed apart.
    home = await records.workspace()
    long = "/" + FACE * 255
    for folder in (f"{long * 19}/{'n' * 254}a", *[f"{long * 19}/{'n' * 254}b"] * 2, f"{long * 18}/x"):
        await records.recorded(home, folder=folder)
    assert await records.children(home) == {long: 4}
    assert await records.children(home, long * 18) == {f"{long * 18}/x": 1, long * 19: 3}
    assert await records.children(home, long * 19) == {
        f"{long * 19}/{'n' * 254}a": 1,
        f"{long * 19}/{'n' * 254}b": 2,
    }
    assert await records.children(home, f"{long * 19}/{'n' * 254}b") == {}
