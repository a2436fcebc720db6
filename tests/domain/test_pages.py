"""Pages of lists, and the values of query parameters."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.members import Form, Rule, RuleViolation
from domain.pages import Page, boolean, timestamp, timestamp_or_date, whole_number
from tests.domain.anything import JSON, ask

NOON = datetime(2026, 4, 17, 12, 0, tzinfo=UTC)
RULES: dict[str, Rule[object]] = {
    "a number": whole_number(1, 100),
    "a flag": boolean,
    "a moment": timestamp,
    "a moment or a date": timestamp_or_date,
}
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
LIKE_A_TIME = st.text("0123456789-+:.TtZz ", max_size=30)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(value=JSON | LIKE_A_TIME)
def test_a_rule_accepts_or_refuses_any_value(rule: Rule[object], value: object) -> None:
    assert ask(rule, value) is not None


@given(st.integers(1, 10**9), st.integers(1, 100))
def test_a_page_begins_after_the_rows_of_all_earlier_pages(number: int, size: int) -> None:
    form = Form({"page": str(number), "per_page": str(size)})
    page = Page.read(form)
    form.finish()
    assert page == Page(number, size)
    assert page.offset + page.size == number * size


@pytest.mark.parametrize("absent", [{}, {"page": None, "per_page": None}], ids=["absent", "null"])
def test_the_default_is_the_first_page_of_25_rows(absent: dict[str, None]) -> None:
    form = Form(absent)
    assert Page.read(form) == Page(1, 25)
    form.finish()


def test_both_parameters_of_a_page_are_named_if_they_are_invalid() -> None:
    form = Form({"page": "1000000001", "per_page": "101"})
    Page.read(form)
    with pytest.raises(Invalid) as refused:
        form.finish()
    assert refused.value.fields == {
        "page": "must be a whole number from 1 to 1000000000",
        "per_page": "must be a whole number from 1 to 100",
    }


@pytest.mark.parametrize(
    "sent",
    [
        "2026-04-17T12:00:00Z",
        "2026-04-17t12:00:00z",
        "2026-04-17T12:00:00.000+00:00",
        "2026-04-17T14:00:00+02:00",
        "2026-04-16T22:30:00-13:30",
    ],
)
def test_a_time_is_the_same_in_every_offset(sent: str) -> None:
    for rule in (timestamp, timestamp_or_date):
        assert rule(sent) == NOON
        assert rule(sent).tzinfo is UTC


@pytest.mark.parametrize("sent", ["2026-04-17", "0001-01-01", "9999-12-31", "2028-02-29"])
def test_a_date_is_its_midnight_in_utc(sent: str) -> None:
    assert timestamp_or_date(sent) == datetime.fromisoformat(f"{sent}T00:00:00+00:00")
    with pytest.raises(RuleViolation):
        timestamp(sent)


@pytest.mark.parametrize(
    "sent",
    [
        *("", "now", "2026", "2026-04", "2026-4-17", "20260417", "2026-W16-5", "2026-107", "17.04.2026"),
        *("2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-04-31", "2026-04-17Z", " 2026-04-17"),
        *("2026-04-17\n", "2026-04-17T", "2026-04-17T12:00", "2026-04-17T12:00:00", "2026-04-17 12:00:00Z"),
        *("2026-04-17T24:00:01Z", "2026-04-17T12:60:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
        *("1776422700", "\uff12026-04-17", "\u0662\u0660\u0662\u0666-\u0660\u0664-\u0661\u0667"),
    ],
    ids=ascii,
)
def test_any_other_text_is_neither_a_time_nor_a_date(sent: str) -> None:
    with pytest.raises(RuleViolation, match=r"must be a time .*, or a date such as 2026-04-17$"):
        timestamp_or_date(sent)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))  # noqa: DTZ001
def test_every_time_is_read_as_it_was_written(at: datetime) -> None:
    assert timestamp_or_date(at.isoformat()) == at
