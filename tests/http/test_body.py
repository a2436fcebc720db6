"""The strict JSON parser: it accepts some bodies, refuses all others, and raises no other error."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.http.strict_json import parse_object
from domain.members import RuleViolation


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


REFUSED: dict[str, list[bytes]] = {
    "no JSON object": [b"", b" ", b"[]", b"[{}]", b'"a"', b"null", b"true", b"1", b"a=b"],
    "incomplete or followed by more": [b"{", b'{"a":1', b"{}{}", b"{}}", b"{}\0", b'{"a":"\\u12"}'],
    "no JSON syntax": [b'{"a":1,}', b"{'a':1}", b"{a:1}", b"/**/{}", b'{"a":"\\x61"}', b"\f{}", b"\xc2\xa0{}"],
    "no JSON number": [b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":01}', b'{"a":+1}', b'{"a":0x1}'],
    "a number out of range": [b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}"],
    "two members of one name": [b'{"a":1,"a":1}', b'{"b":{"a":1,"\\u0061":2}}', b'{"b":[{"a":1,"a":2}]}'],
    "NUL or a raw control character": [b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\x01"}', b'{"a":"\n"}'],
    "a lone surrogate": [b'{"a":"\\ud800"}', b'{"a":["\\udfff"]}', b'{"\\ud800":1}', b'{"a":"\\ude00\\ud83d"}'],
    "no UTF-8": [b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}'],
    "another encoding": [*('{"a":1}'.encode(name) for name in ("utf-16", "utf-16-le", "utf-32"))],
    "nested too deep": [nested(33), nested(20_000), nested(100_000), b"[" * 60_000, b'{"a":' * 10_000],
}


@pytest.mark.parametrize("raw", [pytest.param(raw, id=reason) for reason, texts in REFUSED.items() for raw in texts])
def test_everything_but_one_strict_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(RuleViolation):
        parse_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"\xef\xbb\xbf{}",
        b' {"a" : [1, 2.5, true, null, "\\u00e9\\ud83d\\ude00"]}\n',
        '{"a":"é😀"}'.encode(),
        nested(32),
    ],
    ids=["empty", "byte-order mark", "values", "UTF-8", "32 levels"],
)
def test_a_well_formed_object_is_read_as_json_reads_it(raw: bytes) -> None:
    assert parse_object(raw) == json.loads(raw.decode("utf-8-sig"))


@given(st.binary() | st.text().map(str.encode))
@example(b"\x00")
def test_any_bytes_are_an_object_or_a_rule_violation(raw: bytes) -> None:
    with suppress(RuleViolation):
        assert isinstance(parse_object(raw), dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values).filter(lambda value: "\\u0000" not in json.dumps(value)))
def test_an_object_written_by_a_json_writer_is_read_back(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value).encode()) == value
