"""Ids: a prefix and a ULID."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    decode_ulid,
    encode_ulid,
    is_id,
    parse_api_key_id,
    parse_document_id,
    parse_entity_link_id,
    parse_user_id,
    parse_workspace_id,
)
from tests.domain.anything import TEXTS
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


@given(NUMBERS)
def test_a_ulid_is_decoded_to_the_number_it_encodes(number: int) -> None:
    assert decode_ulid(encode_ulid(number)) == number


@given(NUMBERS)
def test_a_ulid_has_26_characters_of_crockfords_alphabet(number: int) -> None:
    ulid = encode_ulid(number)
    assert len(ulid) == 26
    assert set(ulid) <= set(ALPHABET)
    assert is_id("", ulid)


@given(NUMBERS, NUMBERS)
def test_ulids_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (encode_ulid(one) < encode_ulid(other)) == (one < other)


@pytest.mark.parametrize(
    ("number", "ulid"),
    [
        (0, "0" * 26),
        (31, "0" * 25 + "Z"),
        (32, "0" * 24 + "10"),
        (LARGEST, "7" + "Z" * 25),
        # The example of the specification: https://github.com/ulid/spec
        (int.from_bytes(bytes.fromhex("01563e3ab5d3d6764c61efb99302bd5b")), "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ],
    ids=["least", "Z", "10", "greatest", "specification"],
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


@pytest.mark.parametrize("text", MALFORMED_IDS.values(), ids=MALFORMED_IDS)
def test_a_malformed_id_is_none(text: str) -> None:
    assert [read(text) for read in KINDS.values()] == [None] * len(KINDS)


@given(TEXTS, st.sampled_from(sorted(KINDS)))
def test_any_text_is_an_id_or_none(text: str, prefix: str) -> None:
    for sent in (text, prefix + text):
        assert KINDS[prefix](sent) in (None, sent)
