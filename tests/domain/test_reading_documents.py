"""Reading whole requests: `Draft` of a document, `UploadDraft` of its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Draft, UploadDraft
from domain.errors import Invalid
from domain.members import Members
from tests.domain.samples import DOCUMENT, OWN, UPLOAD

LEAST = {member: DOCUMENT[member] for member in ("name", "mime_type", "storage_path")}
WRONG = {
    "name": "",
    "mime_type": "pdf",
    "storage_path": "../etc/passwd",
    "size_bytes": -1,
    "description": "\0",
    "folder": "clients",
    "tags": [{}],
}
WRONG_UPLOAD = {"name": "", "mime_type": "pdf", "size_bytes": 1.5, "sha256": "x"}


def wrong_members(members: Members) -> set[str]:
    with pytest.raises(Invalid) as refused:
        Draft.read(members, OWN)
    return set(refused.value.fields)


def test_a_full_draft_is_read() -> None:
    draft = Draft.read(DOCUMENT, OWN)
    assert draft.name == "a.pdf"
    assert draft.mime_type == "application/pdf"
    assert draft.storage_path == DOCUMENT["storage_path"]
    assert draft.size_bytes == 183204
    assert draft.description == "d"
    assert draft.folder == "/clients/acme"
    assert draft.tags == ("nda",)


def test_absent_optional_members_are_none_and_absent_tags_are_empty() -> None:
    draft = Draft.read(LEAST, OWN)
    assert (draft.size_bytes, draft.description, draft.folder, draft.tags) == (None, None, None, ())


@pytest.mark.parametrize("member", ["size_bytes", "description", "folder", "tags"])
def test_null_is_absent_for_an_optional_member(member: str) -> None:
    assert Draft.read(LEAST | {member: None}, OWN) == Draft.read(LEAST, OWN)


@pytest.mark.parametrize("member", ["name", "mime_type", "storage_path"])
def test_a_required_member_must_be_present_and_not_null(member: str) -> None:
    assert wrong_members({name: value for name, value in DOCUMENT.items() if name != member}) == {member}
    assert wrong_members({**DOCUMENT, member: None}) == {member}


@given(st.sets(st.sampled_from(sorted(WRONG))), st.sets(st.sampled_from(["", "id", "Name", "created_by", "workspace"])))
def test_every_invalid_and_every_unknown_member_is_reported_at_once(wrong: set[str], unknown: set[str]) -> None:
    members = {**DOCUMENT, **{member: WRONG[member] for member in wrong}, **dict.fromkeys(unknown, "x")}
    if wrong | unknown:
        assert wrong_members(members) == wrong | unknown
    else:
        Draft.read(members, OWN)


def test_an_unknown_member_is_reported_even_when_it_is_null() -> None:
    assert wrong_members({**DOCUMENT, "owner": None}) == {"owner"}


def test_a_full_upload_is_read_with_its_checksum_in_lower_case() -> None:
    upload = UploadDraft.read(UPLOAD)
    assert upload == UploadDraft(name="a.pdf", mime_type="application/pdf", size_bytes=10, sha256="ab" * 32)


@pytest.mark.parametrize("absent", [{}, {"size_bytes": None, "sha256": None}], ids=["absent", "null"])
def test_an_upload_needs_neither_size_nor_checksum(absent: dict[str, None]) -> None:
    upload = UploadDraft.read({"name": "a.pdf", "mime_type": "application/pdf", **absent})
    assert (upload.size_bytes, upload.sha256) == (None, None)


@given(st.sets(st.sampled_from(sorted(WRONG_UPLOAD)), min_size=1))
def test_every_invalid_member_of_an_upload_is_reported_at_once(wrong: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        UploadDraft.read({**UPLOAD, **{member: WRONG_UPLOAD[member] for member in wrong}})
    assert set(refused.value.fields) == wrong


def test_an_upload_must_not_name_a_path() -> None:
    with pytest.raises(Invalid) as refused:
        UploadDraft.read({**UPLOAD, "storage_path": DOCUMENT["storage_path"]})
    assert set(refused.value.fields) == {"storage_path"}
