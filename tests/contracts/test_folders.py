"""The guarantees of `DocumentRepository.folders`, and what a move or a delete of a folder concerns.

test_empty_folders has the outcomes of every move and delete of a folder.
"""

import pytest

from ports.outcomes import FolderDeleted, FolderMoved
from tests.contracts.records import Records, moved

FACE = "\N{GRINNING FACE}"


SIBLINGS = {
    "a prefix": ("/a", ["/ab", "/a!", "/a0", "/a.", "/A", "/a b", "/á", f"/a{FACE}", "/b/a", "/aa/a"]),
    "wildcards": ("/a_c%", ["/abc1", "/a_c", "/a_c%%", "/aXc%/b", "/a\\_c%"]),
    "backslash": ("/a\\", ["/a", "/a\\\\", "/a\\b"]),
    "quotes": ("/a'\"", ["/a'", '/a"', "/a''"]),
    "two levels": ("/a!/b", ["/a/b", "/a!", "/a!/b!", "/a!/b0", "/a!/B"]),
    "long": (f"/{'n' * 255}", [f"/{'n' * 254}", f"/{'n' * 254}m", f"/{'N' * 255}"]),
    "very long": (
        f"{f'/{FACE * 255}' * 17}/{'n' * 255}",
        [f"{f'/{FACE * 255}' * 17}/{'n' * 254}", f"{f'/{FACE * 255}' * 17}/{'n' * 254}m", f"/{FACE * 255}" * 20],
    ),
}
"""A folder, and other folders that a wrong comparison (a range of strings, a pattern, ignored case, a cut prefix) would
find below it."""


@pytest.mark.parametrize("kind", SIBLINGS)
async def test_only_what_is_in_a_folder_is_moved_or_deleted_with_it_unchanged(records: Records, kind: str) -> None:
    folder, others = SIBLINGS[kind]
    target = "/z_%\\"
    home = await records.workspace()
    inside = [
        await records.recorded(home, folder=folder + below)
        for below in ("", "/a", "/a/a", "/!", "/0", f"/{FACE}", "/%")
    ]
    outside = [await records.recorded(home, folder=other) for other in others]
    counts = await records.folders(home)
    records.clock.advance(hours=1)
    assert await records.move(home, folder, target) == FolderMoved(len(inside))
    there = [moved(document, target + (document.folder or "").removeprefix(folder)) for document in inside]
    assert await records.all(home) == (*reversed(outside), *reversed(there))
    # The folder moves back from a path with other siblings.
    assert await records.move(home, target, folder) == FolderMoved(len(inside))
    assert await records.all(home) == (*reversed(outside), *reversed(inside))
    assert {path: count for path, count in (await records.folders(home)).items() if path in counts} == counts
    for document in inside:
        await records.delete(home, document.id)
    before = await records.folders(home)
    assert await records.delete_folder(home, folder) == FolderDeleted()
    after = {path: count for path, count in before.items() if not f"{path}/".startswith(f"{folder}/")}
    assert await records.folders(home) == after
    assert await records.all(home) == (*reversed(outside),)


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
    assert await records.children(home, long * 18) == {f"{long * 18}/x": 1, long * 19: 3}
    assert await records.children(home, long * 19) == {
        f"{long * 19}/{'n' * 254}a": 1,
        f"{long * 19}/{'n' * 254}b": 2,
    }
