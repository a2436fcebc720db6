"""The reader of If-Match (RFC 9110 13.1.1): which revisions a value names, and which values are refused."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar import Request

from adapters.http.request import AnyRequest
from adapters.http.request_headers import read_if_match
from domain.errors import Invalid

INTEGER_MAX = 2**31 - 1
"""The largest revision that the database can hold."""


def read(*lines: bytes) -> frozenset[int] | None:
    """Return the revisions that these header lines name."""
    request: AnyRequest = Request({"type": "http", "headers": [(b"if-match", line) for line in lines]})  # type: ignore[arg-type]
    return read_if_match(request)


@pytest.mark.parametrize(
    ("lines", "revisions"),
    [
        *(([], None), ([b" * "], None)),
        *(([b'\t"1" '], {1}), ([b',,"1", ,"30"'], {1, 30}), ([b'"1"', b'"2"'], {1, 2}), ([b"", b'"2"'], {2})),
        *(([b'W/"1", "2"'], {2}), ([b'"W/", "1"'], {1}), ([b'""', b'"*"', b'"1,2"', b'"a\xff!#~"'], set())),
        ([b'"01"', b'"0"', b'"+1"', b'"-1"', b'"1.0"', b'"\xb2"', b'"%b"' % (b"9" * 5000)], set()),
        ([b'"999999999"', b'"9999999999"'], {999999999}),
    ],
)
def test_a_list_of_entity_tags_names_the_revisions_that_are_strong(
    lines: list[bytes], revisions: set[int] | frozenset[int] | None
) -> None:
    assert read(*lines) == revisions


@pytest.mark.parametrize(
    "line",
    [
        *(b" \t", b",", b"1", b"'1'", b'"1', b'1"', b'"', b'"1""2"', b'"1" "2"', b'"1"; "2"', b'"a b"', b'"a\x7f"'),
        *(b'w/"1"', b'W/ "1"', b"W/1", b'W/W/"1"', b"**", b"*, *", b'*, "1"', b'"1", *'),
    ],
)
def test_any_other_value_is_refused_as_if_match(line: bytes) -> None:
    """Several header lines are one list (RFC 9110 5.3)."""
    for lines in ([line], line.split(b", ")):
        with pytest.raises(Invalid) as refused:
            read(*lines)
        assert list(refused.value.fields) == ["If-Match"]


@given(st.lists(st.binary(max_size=40) | st.text('"W/*, \t1a', max_size=40).map(str.encode), max_size=4))
@example([b'"99999999999999999999"'])
def test_no_value_raises_any_other_exception(lines: list[bytes]) -> None:
    with suppress(Invalid):
        assert all(1 <= revision <= INTEGER_MAX for revision in read(*lines) or ())


spaces = st.text(" \t", max_size=3)
opaque = st.text([chr(code) for code in range(0x21, 0x100) if code not in (0x22, 0x7F)], max_size=6)
tags = st.tuples(st.booleans(), opaque | st.integers(1, INTEGER_MAX).map(str).filter(lambda text: len(text) < 10))


@given(
    st.lists(st.tuples(spaces, tags | st.none(), spaces), min_size=1).filter(
        lambda each: any(tag for _, tag, _ in each)
    )
)
def test_every_value_of_the_grammar_is_read(elements: list[tuple[str, tuple[bool, str] | None, str]]) -> None:
    spelled = [before + (f'{"W/" * tag[0]}"{tag[1]}"' if tag else "") + after for before, tag, after in elements]
    strong = [tag[1] for _, tag, _ in elements if tag and not tag[0]]
    wanted = [int(text) for text in strong if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 10]
    assert read(",".join(spelled).encode("latin-1")) == frozenset(wanted)


@pytest.mark.parametrize("line", [b" " * 65_000 + b"x", b'"1", ' * 13_000 + b"x", b'"' * 65_001, b"W/" * 32_000])
def test_a_long_value_is_read_in_linear_time(line: bytes) -> None:
    began = perf_counter()
    with pytest.raises(Invalid):
        read(line)
    # A pattern that backtracks needs minutes.
    assert perf_counter() - began < 2
