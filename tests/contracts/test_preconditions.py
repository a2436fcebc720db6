"""The state of a document after each kind of change, and the changes that a precondition allows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.entity_links import EntityLink
from domain.paths import FolderPath
from domain.preconditions import UNCONDITIONAL, Precondition
from ports.outcomes import Deleted, Patched, StateMismatch
from tests.contracts.records import Records, none_of, only


def state(revision: int, folder: str) -> str:
    """Return the state of a document of that revision in that folder."""
    return f"{revision}-{sha256(folder.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Scene:
    """The records that each test finds in its workspace `home`: a document and an empty folder.

    The document is in `/a/b`, has an entity link, and has revision 2. The empty folder is `/empty`.
    """

    records: Records
    home: Workspace
    document: Document
    link: EntityLink


@pytest.fixture
async def scene(records: Records) -> Scene:
    home = await records.workspace()
    document = await records.recorded(home, folder="/a/b")
    link = await records.linked_to(home, document)
    await records.delete(home, (await records.recorded(home, folder="/empty")).id)
    return Scene(records, home, document, link)


Step = Callable[[Scene], Awaitable[Any]]

STEPS: dict[str, tuple[Step, str]] = {
    "nothing": (lambda it: it.records.all(it.home), state(2, "/a/b")),
    "patch": (lambda it: it.records.patch(it.home, it.document.id, name="b"), state(3, "/a/b")),
    "patch of the media type": (
        lambda it: it.records.patch(it.home, it.document.id, mime_type="a/b"),
        state(3, "/a/b"),
    ),
    "patch without a difference": (
        lambda it: it.records.patch(it.home, it.document.id, name=it.document.name),
        state(2, "/a/b"),
    ),
    "patch to the root": (lambda it: it.records.patch(it.home, it.document.id, folder=None), "3"),
    "patch to another folder": (
        lambda it: it.records.patch(it.home, it.document.id, folder=FolderPath("/ä")),
        state(3, "/ä"),
    ),
    "link": (
        lambda it: it.records.add_link(it.home, it.records.link(it.document.id, "deal")),
        state(3, "/a/b"),
    ),
    "link that exists": (
        lambda it: it.records.add_link(it.home, it.records.link(it.document.id, role="seller")),
        state(2, "/a/b"),
    ),
    "unlink": (lambda it: it.records.remove_link(it.home, it.document.id, it.link.id), state(3, "/a/b")),
    "rename of its folder": (lambda it: it.records.move(it.home, "/a/b", "/a/c"), state(2, "/a/c")),
    "move of a folder above": (lambda it: it.records.move(it.home, "/a", "/x/y"), state(2, "/x/y/b")),
    "move onto an empty folder": (lambda it: it.records.move(it.home, "/a/b", "/empty"), state(2, "/empty")),
    "move of another folder": (lambda it: it.records.move(it.home, "/empty", "/a/c"), state(2, "/a/b")),
    "delete of another folder": (lambda it: it.records.delete_folder(it.home, "/empty"), state(2, "/a/b")),
}
"""The changes of the document, each with the state of the document afterwards."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_change_is_allowed_in_the_latest_state_and_in_no_other(scene: Scene, step: str) -> None:
    records, home = scene.records, scene.home
    change, expected = STEPS[step]
    await change(scene)
    before = await records.current(scene.document)
    assert before is not None
    assert before.state == expected
    others = only(*{state(2, "/a/b"), state(3, "/a/b"), "2", "3"} - {expected})
    assert await records.patch(home, before.id, others, name="c") == StateMismatch()
    assert await records.delete(home, before.id, precondition=others) == StateMismatch()
    assert await records.current(before) == before
    changed = replace(before, name="c", revision=before.revision + 1)
    outcome = await records.patch(home, before.id, only(expected), name="c")
    assert isinstance(outcome, Patched)
    assert outcome.found.document == changed
    assert await records.delete(home, before.id, precondition=only(changed.state)) == Deleted(before.storage_path)


NOW, LONG = state(2, "/a/b"), "9" * 10_000
HOLDS: Sequence[Precondition] = (
    UNCONDITIONAL,
    only("1", "2", NOW, LONG, ""),
    none_of("1", "2", LONG, "", NOW.upper(), f" {NOW}", f"{NOW}0", NOW[:-1]),
    Precondition(allowed=frozenset({NOW, "1"}), refused=frozenset({"1"})),
)
HOLDS_NOT: Sequence[Precondition] = (
    only(),
    only("1", "2", "3", LONG, "", "*", NOW.upper(), f" {NOW}", f"{NOW}0", NOW[:-1]),
    none_of("1", NOW, LONG),
    Precondition(allowed=frozenset({NOW}), refused=frozenset({NOW})),
)


async def test_a_precondition_that_does_not_hold_prevents_the_change(scene: Scene) -> None:
    records, home, document = scene.records, scene.home, scene.document
    before = await records.documents.get(home.id, document.id), await records.folders(home)
    for precondition in HOLDS_NOT:
        # A patch that would change nothing is refused too.
        for changes in ({}, {"name": "c", "folder": FolderPath("/new")}):
            assert await records.patch(home, document.id, precondition, **changes) == StateMismatch(), precondition
        assert await records.delete(home, document.id, precondition=precondition) == StateMismatch(), precondition
        assert (await records.documents.get(home.id, document.id), await records.folders(home)) == before


async def test_a_precondition_that_holds_allows_the_change(records: Records) -> None:
    home = await records.workspace()
    for precondition in HOLDS:
        document = await records.recorded(home, folder="/a/b")
        await records.linked_to(home, document)
        assert isinstance(await records.patch(home, document.id, precondition), Patched), precondition
        assert await records.delete(home, document.id, precondition=precondition) == Deleted(document.storage_path)
