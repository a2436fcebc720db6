"""One strict reader of JSON: what it takes, what it refuses, and that it does nothing else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.http.body import BODY_MAX_BYTES
from adapters.http.strict_json import parse_object
from domain.members import RuleViolation
from tests.http.conftest import Api

JSON = {"Content-Type": "application/json"}


def nested(levels: int) -> bytes:
    """An object of so many levels."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b'"a"',
        b"null",
        b"1",
        b"{}{}",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":01}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1,"a":1}',
        b'{"b":{"a":1,"\\u0061":2}}',
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":"\\ud800"}',
        b'{"a":["\\udfff"]}',
        b'{"a":"\xff"}',
        b'{"a":"\x01"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32"),
        nested(33),
        nested(20_000),
        nested(100_000),
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_readers_disagree_on_is_refused(raw: bytes) -> None:
    with pytest.raises(RuleViolation):
        parse_object(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (
            b' {"a" : [1, 2.5, true, null, "\\u00e9\\ud83d\\ude00"]}\n',
            {"a": [1, 2.5, True, None, "é\N{GRINNING FACE}"]},
        ),
        (nested(32), None),
    ],
    ids=["empty", "values", "as deep as allowed"],
)
def test_wellformed_objects_are_read(raw: bytes, value: object) -> None:
    assert parse_object(raw) == (json.loads(raw) if value is None else value)


@given(st.binary() | st.text().map(str.encode))
@example(b"\x00")
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with suppress(RuleViolation):
        assert isinstance(parse_object(raw), dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values))
def test_what_any_json_writer_writes_is_read_back(value: dict[str, Any]) -> None:
    raw = json.dumps(value).encode()
    if "\\u0000" in json.dumps(value):
        return
    assert parse_object(raw) == value


async def test_64_kib_are_read_and_one_byte_more_is_413(api: Api) -> None:
    for size, status in ((BODY_MAX_BYTES, 400), (BODY_MAX_BYTES + 1, 413)):
        raw = b'{"a":"' + b"x" * (size - 8) + b'"}'
        assert len(raw) == size
        assert (await api.http.post("/v1/documents", content=raw, headers=JSON)).status_code == status


async def test_a_body_of_unknown_length_is_bounded_too(api: Api) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 10_000

    answer = await api.http.post("/v1/documents", content=endless(), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/json; charset=latin-1", "application/jsonx", "application/json, text/plain"],
)
async def test_a_body_that_is_not_announced_as_json_is_415(api: Api, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await api.http.post("/v1/documents", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON ; charset=UTF-8"])
async def test_json_may_name_its_charset(api: Api, content_type: str) -> None:
    answer = await api.http.post("/v1/documents", content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 400
