"""If-Match (RFC 9110 13.1.1): which values name which states, and which are none."""

from contextlib import suppress
from time import perf_counter

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar import Request

from adapters.http.request import AnyRequest
from adapters.http.request_headers import read_if_match
from domain.errors import Invalid
from tests.http.conftest import Api

INTEGER_MAX = 2**31 - 1
"""What a revision fits into where it is kept."""


def read(*lines: bytes) -> frozenset[int] | None:
    """What is read of these header lines."""
    request: AnyRequest = Request({"type": "http", "headers": [(b"if-match", line) for line in lines]})  # type: ignore[arg-type]
    return read_if_match(request)


async def patched(api: Api, *lines: bytes) -> httpx.Response:
    """The answer to a change of a new document, whose ETag is "1"."""
    id_ = (await api.recorded())["id"]
    headers = [(b"If-Match", line) for line in lines]
    return await api.http.patch(f"/v1/documents/{id_}", json={"name": "b"}, headers=headers)


@pytest.mark.parametrize(
    ("lines", "revisions"),
    [
        ([], None),
        ([b"*"], None),
        ([b" * "], None),
        ([b'"1"'], {1}),
        ([b'\t"1" '], {1}),
        ([b'"1","2" , "30"'], {1, 2, 30}),
        ([b',,"1", ,'], {1}),
        ([b'"1"', b'"2"'], {1, 2}),
        ([b"", b'"2"'], {2}),
        ([b'W/"1"'], set()),
        ([b'W/"1", "2"'], {2}),
        ([b'""'], set()),
        ([b'"*"'], set()),
        ([b'"1,2"'], set()),
        ([b'"W/", "1"'], {1}),
        ([b'"a\xff!#~"'], set()),
        ([b'"01"', b'"0"', b'"+1"', b'"-1"', b'"1.0"', b'"\xb2"'], set()),
        ([b'"999999999"', b'"9999999999"'], {999999999}),
        ([b'"%b"' % (b"9" * 5000)], set()),
    ],
)
def test_a_list_of_entity_tags_names_the_revisions_that_are_strong(
    lines: list[bytes], revisions: set[int] | frozenset[int] | None
) -> None:
    assert read(*lines) == revisions


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b" \t"],
        [b","],
        [b"", b""],
        [b"1"],
        [b"'1'"],
        [b'"1'],
        [b'1"'],
        [b'"'],
        [b'"1""2"'],
        [b'"1" "2"'],
        [b'"1"; "2"'],
        [b'"a b"'],
        [b'"a\x7f"'],
        [b'"a\tb"'],
        [b'w/"1"'],
        [b'W/ "1"'],
        [b"W/1"],
        [b'W/W/"1"'],
        [b"**"],
        [b"*", b"*"],
        [b'*, "1"'],
        [b'"1"', b"*"],
    ],
)
def test_anything_else_is_a_wrong_if_match(lines: list[bytes]) -> None:
    with pytest.raises(Invalid) as refused:
        read(*lines)
    assert list(refused.value.fields) == ["If-Match"]


async def test_a_wrong_if_match_is_400_and_named(api: Api) -> None:
    for lines in ([b""], [b"1"], [b'"1"', b"2"], [b'"\xff', b"\x80"]):
        answer = await patched(api, *lines)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
        assert list(answer.json()["error"]["details"]["fields"]) == ["If-Match"]


@given(st.lists(st.binary(max_size=40) | st.text('"W/*, \t1a', max_size=40).map(str.encode), max_size=4))
@example([b'"99999999999999999999"'])
def test_no_value_raises_anything_else(lines: list[bytes]) -> None:
    with suppress(Invalid):
        assert all(1 <= revision <= INTEGER_MAX for revision in read(*lines) or ())


spaces = st.text(" \t", max_size=3)
opaque = st.text([chr(code) for code in range(0x21, 0x100) if code not in (0x22, 0x7F)], max_size=6)
tags = st.tuples(st.booleans(), opaque | st.integers(1, INTEGER_MAX).map(str).filter(lambda text: len(text) < 10))


@given(st.lists(st.tuples(spaces, tags | st.none(), spaces), min_size=1))
def test_whatever_the_grammar_makes_is_read(elements: list[tuple[str, tuple[bool, str] | None, str]]) -> None:
    spelled = [before + (f'{"W/" * tag[0]}"{tag[1]}"' if tag else "") + after for before, tag, after in elements]
    strong = [tag[1] for _, tag, _ in elements if tag and not tag[0]]
    wanted = frozenset(
        int(text) for text in strong if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 10
    )
    line = ",".join(spelled).encode("latin-1")
    if any(tag for _, tag, _ in elements):
        assert read(line) == wanted
    else:
        with pytest.raises(Invalid):
            read(line)


@pytest.mark.parametrize(
    "line", [b" " * 65_000 + b"x", b"," * 65_000 + b"x", b'"1", ' * 13_000 + b"x", b'"' * 65_001, b"W/" * 32_000]
)
def test_a_long_value_is_read_in_one_go(line: bytes) -> None:
    began = perf_counter()
    with pytest.raises(Invalid):
        read(line)
    # A pattern that looks twice at what it has seen needs minutes.
    assert perf_counter() - began < 2


@pytest.mark.parametrize("line", [b"*", b'"1"', b'"7", "1"'])
async def test_the_state_that_is_there_is_changed(api: Api, line: bytes) -> None:
    answer = await patched(api, line)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


@pytest.mark.parametrize("line", [b'"2"', b'W/"1"', b'"x"', b'"9999999999"'])
async def test_no_other_state_is_changed(api: Api, line: bytes) -> None:
    answer = await patched(api, line)
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "precondition_failed")
    assert "details" not in answer.json()["error"]
    assert (await api.http.get("/v1/documents")).json()["data"]["documents"][0]["name"] == "a.pdf"
