"""Changing the record of a document."""

from dataclasses import replace

import pytest

from domain.errors import PreconditionFailed
from domain.preconditions import Precondition
from ports.queries import DocumentWithLinks
from tests.domain.samples import UNMET
from tests.domain.world import World


@pytest.mark.parametrize(
    ("member", "sent", "kept"),
    [
        *(("name", "b.pdf", "b.pdf"), ("name", "e\u0301", "\xe9")),
        *(("description", "Zeile 1\nZeile 2", "Zeile 1\nZeile 2"), ("description", "", "")),
        *(("description", None, None), ("folder", "/b/c/", "/b/c"), ("folder", "/", None), ("folder", None, None)),
        *(("mime_type", "TEXT/CSV", "text/csv"), ("mime_type", "video/webm; codecs=vp8", "video/webm; codecs=vp8")),
        *(("tags", [" x ", "y", "x"], ("x", "y")), ("tags", [], ()), ("tags", None, ())),
    ],
)
async def test_only_the_members_that_are_sent_change(world: World, member: str, sent: object, kept: object) -> None:
    caller = await world.caller()
    document = await world.record(caller, description="d", folder="/a", tags=["t"])
    world.clock.advance(seconds=1)
    changed = await world.changed(caller, document, {member: sent})
    assert getattr(changed, member) == kept
    assert (changed.revision, changed.updated_at) == (2, world.clock())
    assert (
        replace(changed, revision=1, updated_at=document.updated_at, **{member: getattr(document, member)}) == document
    )
    assert await world.documents.get(caller.workspace_id, document.id) == DocumentWithLinks(changed, ())


@pytest.mark.parametrize("precondition", UNMET.values(), ids=UNMET)
@pytest.mark.parametrize("sent", [{}, {"name": "c.pdf"}, {"folder": "/new"}], ids=repr)
async def test_a_document_in_another_state_than_required_is_not_changed(
    world: World, precondition: Precondition, sent: dict[str, object]
) -> None:
    caller = await world.caller()
    document = await world.record(caller)
    before = await world.patch_document(caller, document.id, {"name": "b.pdf"})
    with pytest.raises(PreconditionFailed):
        await world.patch_document(caller, document.id, sent, precondition)
    assert await world.documents.get(caller.workspace_id, document.id) == before
    assert await world.folders(caller) == {}
