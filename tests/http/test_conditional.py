"""The parsing of preconditions: the states in a header, and the values that are refused (RFC 9110 8.8.3, 13.1)."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar import Request

from adapters.http.conditional import http_date, range_applies, read_conditions
from adapters.http.request import AnyRequest
from domain.errors import Invalid, PreconditionFailed
from domain.preconditions import UNCONDITIONAL, Precondition

AT = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
BEFORE, AFTER = "Fri, 17 Apr 2026 10:44:59 GMT", "Fri, 17 Apr 2026 10:45:01 GMT"


def request_with(*headers: tuple[str, bytes | str]) -> AnyRequest:
    lines = [(name.lower().encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "GET", "headers": lines})  # type: ignore[arg-type]


def precondition(headers: Iterable[tuple[str, bytes | str]]) -> Precondition:
    return read_conditions(request_with(*headers)).of_a_change()


def read(*lines: bytes) -> Precondition:
    return precondition(("If-Match", line) for line in lines)


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        ([], None),
        ([b" * "], None),
        ([b'\t"1" '], {"1"}),
        ([b',,"1","2" , "3-0a"'], {"1", "2", "3-0a"}),
        ([b"", b'"1"', b'"2"'], {"1", "2"}),
        ([b'W/"1"'], {"1"}),
        ([b'"1-gzip", "2--gzip", "3-br", W/"4-zstd"'], {"1", "2", "3", "4"}),
        ([b'"", "*", "1,2", "W/", "a\xff!#~"'], {"", "*", "1,2", "W/", "a\xff!#~"}),
    ],
)
def test_entity_tags_name_states_even_if_weak_or_compressed(lines: list[bytes], allowed: set[str] | None) -> None:
    assert read(*lines) == Precondition(None if allowed is None else frozenset(allowed))


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize(
    "lines",
    [
        *([b""], [b","], [b"", b""], [b"1"], [b"'1'"], [b'"1'], [b'1"'], [b'"1""2"'], [b'"1" "2"'], [b'"1"; "2"']),
        *([b'"a b"'], [b'"a\x7f"'], [b'w/"1"'], [b'W/ "1"'], [b"W/1"], [b'W/W/"1"'], [b"*", b"*"], [b'*, "1"']),
    ],
)
def test_a_header_that_is_no_list_of_entity_tags_is_named_in_the_refusal(name: str, lines: list[bytes]) -> None:
    with pytest.raises(Invalid) as refused:
        precondition((name, line) for line in lines)
    assert list(refused.value.fields) == [name]


@given(st.lists(st.binary(max_size=40) | st.text('"W/*, \t1a', max_size=40).map(str.encode), max_size=4))
@example([b'"99999999999999999999"'])
def test_any_value_of_if_match_is_read_or_refused(lines: list[bytes]) -> None:
    with suppress(Invalid):
        read(*lines)


@pytest.mark.parametrize(
    "line", [b" " * 65_000 + b"x", b"," * 65_000 + b"x", b'"1", ' * 13_000 + b"x", b'"' * 65_001, b"W/" * 32_000]
)
def test_a_long_if_match_is_read_in_linear_time(line: bytes) -> None:
    began = process_time()
    with pytest.raises(Invalid):
        read(line)
    # A pattern that backtracks needs minutes.
    assert process_time() - began < 2


def test_a_change_is_allowed_in_the_states_of_if_match_and_in_none_of_if_none_match() -> None:
    assert precondition([]) == UNCONDITIONAL
    both = precondition([("If-Match", '"1", "2"'), ("If-None-Match", '"2"')])
    assert [both.holds(state) for state in ("1", "2", "3")] == [True, False, False]
    no_document = precondition([("If-None-Match", "*")])
    assert not no_document.holds("1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 200),
        ([("If-Match", '"a"')], 200),
        ([("If-Match", '"b"')], 412),
        ([("If-None-Match", '"a"')], 304),
        ([("If-None-Match", "*")], 304),
        ([("If-None-Match", '"b"')], 200),
        ([("If-Match", '"b"'), ("If-None-Match", '"a"')], 412),
        ([("If-Unmodified-Since", BEFORE)], 412),
        ([("If-Unmodified-Since", http_date(AT))], 200),
        ([("If-Match", '"a"'), ("If-Unmodified-Since", BEFORE)], 200),
        ([("If-Modified-Since", http_date(AT))], 304),
        ([("If-Modified-Since", "Friday, 17-Apr-26 10:45:01 GMT")], 304),
        ([("If-Modified-Since", "Fri Apr 17 10:45:01 2026")], 304),
        ([("If-Modified-Since", BEFORE)], 200),
        ([("If-None-Match", '"b"'), ("If-Modified-Since", AFTER)], 200),
        ([("If-Modified-Since", "yesterday")], 200),
        ([("If-Modified-Since", "Mon, Jan 01 9999999999 00:00")], 200),
        ([("If-Modified-Since", "Fri, 17 Apr 2026 10:45:00 -0500")], 200),
        ([("If-Modified-Since", "Fri, 99 Apr 2026 10:45:00 GMT")], 200),
        ([("If-Modified-Since", AFTER), ("If-Modified-Since", AFTER)], 200),
    ],
)
def test_preconditions_of_a_read_are_evaluated_in_the_rfcs_order(headers: list[tuple[str, str]], status: int) -> None:
    conditions = read_conditions(request_with(*headers))
    if status == 412:
        with pytest.raises(PreconditionFailed, match=headers[0][0]):
            conditions.is_not_modified("a", AT)
    else:
        assert conditions.is_not_modified("a", AT) == (status == 304)


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        *((None, True), ('"a"', True), ('"b"', False), ('W/"a"', False), ('"a", "b"', False), ("*", False)),
        *((http_date(AT), True), (AFTER, False), (BEFORE, False), ("yesterday", False)),
    ],
)
def test_if_range_applies_only_to_exactly_the_same_bytes(value: str | None, *, applies: bool) -> None:
    assert range_applies(request_with(*([("If-Range", value)] if value else [])), "a", AT) == applies
