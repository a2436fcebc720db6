"""Reading the members of a request, and the page of a list: every invalid member is reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.members import NAME_REPEATED_MAX, OMITTED, SUGGESTIONS_MAX, Form, RuleViolation, or_null
from domain.pages import Page
from domain.text import string
from tests.domain.anything import JSON, TEXTS


def never(value: object) -> str:
    raise RuleViolation("is never right")


def reported(form: Form) -> dict[str, str]:
    """Return the reason for each member that is reported."""
    try:
        form.finish()
    except Invalid as refused:
        return dict(refused.fields)
    return {}


def test_a_required_member_is_read_by_its_rule_and_must_be_present_and_not_null() -> None:
    form = Form({"name": "a", "null": None})
    assert form.required("name", lambda value: string(value).upper()) == "A"
    form.required("absent", string)
    form.required("null", string)
    assert reported(form) == {"absent": "is required", "null": "must be a string"}


def test_an_optional_member_may_be_absent_or_null_and_its_rule_is_not_applied() -> None:
    form = Form({"null": None})
    assert (form.optional("null", never), form.optional("absent", never)) == (None, None)
    assert reported(form) == {}


@pytest.mark.parametrize("value", [False, 0, 0.0, "", [], {}], ids=repr)
def test_an_empty_value_is_not_treated_as_absent(value: object) -> None:
    form = Form({"name": value})
    form.optional("name", never)
    assert reported(form) == {"name": "is never right"}


def test_a_patch_distinguishes_null_from_an_omitted_member_and_a_rule_decides_whether_null_is_valid() -> None:
    form = Form({"null": None, "name": "a", "not_null": None})
    assert form.sent("absent", never) is OMITTED
    assert form.sent("null", or_null(never)) is None
    assert form.sent("name", or_null(string)) == "a"
    form.sent("not_null", string)
    assert reported(form) == {"not_null": "must be a string"}


@given(
    st.dictionaries(TEXTS | st.sampled_from("abcdefghijkl"), JSON, max_size=8),
    st.sets(st.sampled_from("abcd")),
    st.sets(st.sampled_from("efgh")),
    st.sets(st.sampled_from("ijkl")),
)
def test_every_invalid_absent_and_unknown_member_is_reported(
    sent: dict[str, object], required: set[str], optional: set[str], may_be_sent: set[str]
) -> None:
    form = Form(sent)
    for member in required:
        form.required(member, never)
    for member in optional:
        form.optional(member, never)
    for member in may_be_sent:
        form.sent(member, never)
    null = {member for member in optional if sent.get(member) is None}
    named = {member if len(member) <= NAME_REPEATED_MAX else f"{member[:NAME_REPEATED_MAX]}…" for member in sent}
    assert reported(form).keys() == (named | required) - null


@pytest.mark.parametrize(
    ("member", "shown"),
    [("x" * 64, "x" * 64), ("x" * 65, "x" * 64 + "…"), ("wbk_secret", "wbk_…"), ("my wbk_secret" * 9, "wbk_…")],
)
def test_the_name_of_an_unknown_member_is_shortened_and_hides_an_api_key(member: str, shown: str) -> None:
    assert list(reported(Form({member: 1}))) == [shown]


@given(st.integers(1, 10**9), st.integers(1, 100))
def test_a_page_begins_after_the_rows_of_all_earlier_pages(number: int, size: int) -> None:
    form = Form({"page": str(number), "per_page": str(size)})
    page = Page.read(form)
    assert (reported(form), page) == ({}, Page(number, size))
    assert page.offset + page.size == number * size


@pytest.mark.parametrize("absent", [{}, {"page": None, "per_page": None}], ids=["absent", "null"])
def test_the_default_is_the_first_page_of_25_rows(absent: dict[str, None]) -> None:
    assert Page.read(Form(absent)) == Page(1, 25)


@pytest.mark.parametrize(("page", "per_page"), [("0", "0"), ("1000000001", "101"), ("1.0", "-1"), ("\u0661", "")])
def test_a_page_outside_its_bounds_is_refused(page: str, per_page: str) -> None:
    form = Form({"page": page, "per_page": per_page})
    Page.read(form)
    assert reported(form) == {
        "page": "must be a whole number from 1 to 1000000000",
        "per_page": "must be a whole number from 1 to 100",
    }


PARAMETERS = ("folder", "tag", "search", "created_after", "created_before", "page", "per_page", "mime_type", "sha256")
MEANT = {
    "tag[]": "repeat 'tag' to send several",
    "tags": "did you mean 'tag'?",
    "Tag": "did you mean 'tag'?",
    "limit": "did you mean 'per_page'?",
    "pageSize": "did you mean 'per_page'?",
    "q": "did you mean 'search'?",
    "serach": "did you mean 'search'?",
    "createdAfter": "did you mean 'created_after'?",
    "since": "did you mean 'created_after'?",
    "path": "did you mean 'folder'?",
    "content-type": "did you mean 'mime_type'?",
    "sha-256": "did you mean 'sha256'?",
    "sort": "leave it out",
    "x[]": "leave it out",
    "": "leave it out",
}


@pytest.mark.parametrize("unknown", MEANT)
def test_an_unknown_parameter_is_named_with_the_one_that_was_probably_meant(unknown: str) -> None:
    form = Form({unknown: "1"}, "parameter")
    for known in PARAMETERS:
        form.optional(known, never)
    assert reported(form) == {unknown: f"is not a parameter of this request; {MEANT[unknown]}"}


def test_an_unknown_member_gets_a_suggestion_only_if_a_known_one_is_similar() -> None:
    form = Form({"limit": 1, "filename": "a"})
    form.optional("name", never)
    assert reported(form) == {
        "limit": "is not a member of this request; leave it out",
        "filename": "is not a member of this request; did you mean 'name'?",
    }


def test_a_violation_found_earlier_is_reported_whether_or_not_its_member_is_read() -> None:
    form = Form({"page": RuleViolation("must be given once"), "If-Match": RuleViolation("must be an entity tag")})
    assert form.optional("page", string) is None
    form.apply("entity_id", never, "from the path")
    form.refuse("cursor", "contradicts")
    assert reported(form) == {
        "page": "must be given once",
        "entity_id": "is never right",
        "cursor": "contradicts",
        "If-Match": "must be an entity tag",
    }


def test_only_the_first_unknown_members_get_a_suggestion_which_bounds_the_time() -> None:
    names = [f"nam{number}" for number in range(SUGGESTIONS_MAX + 5)]
    form = Form(dict.fromkeys(names))
    form.optional("name", string)
    suggested = ["did you mean" in reason for reason in reported(form).values()]
    assert suggested == [True] * SUGGESTIONS_MAX + [False] * 5
