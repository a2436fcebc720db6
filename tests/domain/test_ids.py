"""Ids: a prefix and a ULID."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    decode_ulid,
    encode_ulid,
    parse_api_key_id,
    parse_document_id,
    parse_entity_link_id,
    parse_user_id,
    parse_workspace_id,
)
from tests.domain.samples import MALFORMED_IDS

LARGEST = 2**128 - 1
NUMBERS = st.integers(0, LARGEST)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KINDS: dict[str, Callable[[str], str | None]] = {
    "doc_": parse_document_id,
    "ws_": parse_workspace_id,
    "usr_": parse_user_id,
    "key_": parse_api_key_id,
    "dlnk_": parse_entity_link_id,
}


@given(NUMBERS, NUMBERS)
def test_a_ulid_has_26_characters_that_encode_a_number_and_sort_like_it(one: int, other: int) -> None:
    ulid = encode_ulid(one)
    assert len(ulid) == 26
    assert set(ulid) <= set(ALPHABET)
    assert decode_ulid(ulid) == one
    assert (ulid < encode_ulid(other)) == (one < other)


@pytest.mark.parametrize(
    ("number", "ulid"),
    [
        (0, "0" * 26),
        (LARGEST, "7" + "Z" * 25),
        # The example of the specification: https://github.com/ulid/spec
        (int.from_bytes(bytes.fromhex("01563e3ab5d3d6764c61efb99302bd5b")), "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ],
    ids=["least", "greatest", "specification"],
)
def test_a_ulid_is_pinned(number: int, ulid: str) -> None:
    assert encode_ulid(number) == ulid
    assert decode_ulid(ulid) == number


@pytest.mark.parametrize("prefix", KINDS)
@given(number=NUMBERS)
def test_an_id_is_its_prefix_and_a_ulid(prefix: str, number: int) -> None:
    ulid = encode_ulid(number)
    assert {kind: read(prefix + ulid) for kind, read in KINDS.items()} == {
        kind: prefix + ulid if kind == prefix else None for kind in KINDS
    }


@pytest.mark.parametrize("prefix", KINDS)
def test_parsing_a_malformed_id_returns_none(prefix: str) -> None:
    for text in MALFORMED_IDS.values():
        assert [read(text.replace("doc_", prefix)) for read in KINDS.values()] == [None] * len(KINDS), text
