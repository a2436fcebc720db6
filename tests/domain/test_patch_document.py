"""Changing the record of a document."""

from dataclasses import replace

import pytest

from domain.errors import PreconditionFailed
from ports.queries import DocumentWithLinks
from tests.domain.world import World


@pytest.mark.parametrize(
    ("member", "sent", "kept"),
    [
        *(("name", "b.pdf", "b.pdf"), ("name", "e\u0301", "\xe9")),
        *(("description", "Zeile 1\nZeile 2", "Zeile 1\nZeile 2"), ("description", "", "")),
        *(("description", None, None), ("folder", "/b/c/", "/b/c"), ("folder", "/", None), ("folder", None, None)),
        *(("tags", [" x ", "y", "x"], ("x", "y")), ("tags", [], ()), ("tags", None, ())),
    ],
)
async def test_only_the_members_that_are_sent_change(world: World, member: str, sent: object, kept: object) -> None:
    caller = await world.caller()
    document = await world.record(caller, description="d", folder="/a", tags=["t"])
    world.clock.advance(seconds=1)
    changed = (await world.patch_document(caller, document.id, {member: sent})).document
    assert getattr(changed, member) == kept
    assert (changed.revision, changed.updated_at) == (2, world.clock())
    assert (
        replace(changed, revision=1, updated_at=document.updated_at, **{member: getattr(document, member)}) == document
    )
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(changed, ())


@pytest.mark.parametrize("expected_revisions", [frozenset[int](), frozenset({1}), frozenset({0, 1, 3})], ids=repr)
@pytest.mark.parametrize("sent", [{}, {"name": "c.pdf"}, {"folder": "/new"}], ids=repr)
async def test_an_unexpected_revision_is_not_changed(
    world: World, expected_revisions: frozenset[int], sent: dict[str, object]
) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    before = await world.patch_document(caller, document.id, {"name": "b.pdf"})
    with pytest.raises(PreconditionFailed):
        await world.patch_document(caller, document.id, sent, expected_revisions)
    assert await world.documents.get(caller.workspace_id, document.id) == before
    assert await world.folders(caller) == {}
