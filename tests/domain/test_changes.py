"""Changes of a document, and its state: the ETag and preconditions."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Changes, Document, StoredObject
from domain.errors import Invalid
from domain.ids import ApiKeyId, DocumentId, UserId
from domain.members import OMITTED
from domain.paths import FolderPath, StoragePath
from domain.preconditions import UNCONDITIONAL, Precondition
from tests.domain.anything import objects_around
from tests.domain.samples import DOCUMENT, OWN

RECORDED = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
RECORD = Document(
    id=DocumentId("doc_01HY0000000000000000000000"),
    workspace_id=OWN,
    name="a.pdf",
    description="d",
    mime_type="application/pdf",
    storage_path=StoragePath(f"workspaces/{OWN}/a"),
    stored=StoredObject(size_bytes=5, etag="e"),
    folder=FolderPath("/a"),
    tags=("t",),
    revision=7,
    created_by=UserId("usr_1"),
    created_by_key=ApiKeyId("key_1"),
    created_at=RECORDED - timedelta(days=1),
    updated_at=RECORDED,
)
CHANGEABLE = {member: DOCUMENT[member] for member in ("name", "description", "folder", "tags")}


@given(objects_around(CHANGEABLE))
def test_any_json_object_is_read_as_changes_or_refused(members: dict[str, object]) -> None:
    with suppress(Invalid):
        changes = Changes.read(members)
        assert members.keys() <= CHANGEABLE.keys()
        assert {member for member in CHANGEABLE if getattr(changes, member) is not OMITTED} == members.keys()


CHANGES = st.builds(
    Changes,
    name=st.sampled_from([OMITTED, "a.pdf", "b.pdf"]),
    description=st.sampled_from([OMITTED, None, "", "d"]),
    folder=st.sampled_from([OMITTED, None, FolderPath("/a"), FolderPath("/b")]),
    tags=st.sampled_from([OMITTED, (), ("t",), ("t", "u")]),
)
LATER = st.timedeltas(timedelta(days=-2), timedelta(days=2)).map(RECORDED.__add__)


@given(CHANGES, LATER)
def test_a_change_makes_the_next_revision_and_never_an_earlier_time(changes: Changes, at: datetime) -> None:
    sent = {member: value for member in CHANGEABLE if (value := getattr(changes, member)) is not OMITTED}
    changed = changes.applied_to(RECORD, at)
    if all(getattr(RECORD, member) == value for member, value in sent.items()):
        assert changed is RECORD
        return
    assert {member: getattr(changed, member) for member in sent} == sent
    assert (changed.revision, changed.updated_at) == (8, max(at, RECORDED))
    back = {member: getattr(RECORD, member) for member in (*sent, "revision", "updated_at")}
    assert replace(changed, **back) == RECORD


@given(CHANGES, LATER)
def test_applying_the_same_changes_again_changes_nothing(changes: Changes, at: datetime) -> None:
    once = changes.applied_to(RECORD, at)
    assert changes.applied_to(once, at + timedelta(seconds=1)) is once


@pytest.mark.parametrize(
    ("allowed", "refused", "holding"),
    [
        *((None, set(), {"1", "2"}), (set(), set(), set()), ({"1"}, set(), {"1"}), ({"1", "3"}, set(), {"1"})),
        *((None, {"1"}, {"2"}), (None, {"1", "2"}, set()), ({"1", "2"}, {"1"}, {"2"}), ({"1"}, {"1"}, set())),
    ],
)
def test_a_precondition_holds_in_the_states_that_it_allows_and_does_not_refuse(
    allowed: set[str] | None, refused: set[str], holding: set[str]
) -> None:
    precondition = Precondition(None if allowed is None else frozenset(allowed), frozenset(refused))
    assert {state for state in ("1", "2") if precondition.holds(state)} == holding
    assert UNCONDITIONAL.holds("1")


def test_the_state_is_the_revision_and_a_digest_of_the_folder() -> None:
    # These values must not change, because clients keep them as ETags.
    assert replace(RECORD, revision=7, folder=None).state == "7"
    assert replace(RECORD, revision=7, folder=FolderPath("/a")).state == "7-6a50dc8584134c7d"
    folders = [None, *map(FolderPath, ("/a", "/A", "/a/b", "/b", "/\xe9"))]
    states = {replace(RECORD, revision=revision, folder=folder).state for revision in (1, 11) for folder in folders}
    assert len(states) == 2 * len(folders)
