"""Reading the members of a request: each by its rule, every invalid one reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.members import NAME_REPEATED_MAX, OMITTED, Form, RuleViolation, or_null
from domain.text import string
from tests.domain.anything import JSON, TEXTS


def never(value: object) -> str:
    raise RuleViolation("is never right")


def test_a_required_member_is_read_by_its_rule() -> None:
    form = Form({"name": "a"})
    assert form.required("name", lambda value: string(value).upper()) == "A"
    form.finish()


def test_an_absent_required_member_is_reported() -> None:
    form = Form({})
    form.required("name", string)
    with pytest.raises(Invalid) as refused:
        form.finish()
    assert refused.value.fields == {"name": "is required"}


def test_a_required_member_must_not_be_null() -> None:
    form = Form({"name": None})
    form.required("name", string)
    with pytest.raises(Invalid) as refused:
        form.finish()
    assert refused.value.fields == {"name": "must be a string"}


@pytest.mark.parametrize("members", [{}, {"name": None}], ids=["absent", "null"])
def test_an_optional_member_may_be_absent_or_null_and_its_rule_is_not_applied(members: dict[str, object]) -> None:
    form = Form(members)
    assert form.optional("name", never) is None
    form.finish()


@pytest.mark.parametrize("value", [False, 0, 0.0, "", [], {}], ids=repr)
def test_an_empty_value_is_not_absent(value: object) -> None:
    form = Form({"name": value})
    form.optional("name", never)
    with pytest.raises(Invalid) as refused:
        form.finish()
    assert refused.value.fields == {"name": "is never right"}


def test_a_patch_distinguishes_null_from_an_omitted_member() -> None:
    form = Form({"null": None, "name": "a"})
    assert form.sent("absent", never) is OMITTED
    assert form.sent("null", or_null(never)) is None
    assert form.sent("name", or_null(string)) == "a"
    form.finish()


def test_a_sent_member_may_be_null_only_if_its_rule_allows_it() -> None:
    form = Form({"name": None, "tags": None})
    form.sent("name", string)
    form.sent("tags", or_null(string))
    with pytest.raises(Invalid) as refused:
        form.finish()
    assert refused.value.fields == {"name": "must be a string"}


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
    expected = (named | required) - null
    try:
        form.finish()
        reported: set[str] = set()
    except Invalid as refused:
        reported = set(refused.fields)
    assert reported == expected


@pytest.mark.parametrize(
    ("member", "shown"),
    [("x" * 64, "x" * 64), ("x" * 65, "x" * 64 + "…"), ("wbk_secret", "wbk_…"), ("my wbk_secret" * 9, "wbk_…")],
)
def test_an_unknown_members_name_is_shortened_and_an_api_key_in_it_is_hidden(member: str, shown: str) -> None:
    with pytest.raises(Invalid) as refused:
        Form({member: 1}).finish()
    assert list(refused.value.fields) == [shown]
