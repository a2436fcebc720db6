"""Changes of a document: how they change a record. test_patch_document.py has how they are read."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Changes, Document, StoredObject
from domain.errors import Invalid
from domain.ids import ApiKeyId, DocumentId, UserId
from domain.members import OMITTED
from domain.paths import FolderPath, StoragePath
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
def test_any_json_object_is_changes_or_invalid(members: dict[str, object]) -> None:
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


def test_another_order_of_tags_is_a_change() -> None:
    record = replace(RECORD, tags=("t", "u"))
    assert Changes(tags=("u", "t")).applied_to(record, RECORDED).revision == 8
