"""Name, media type, description, tags and size: the rules at their edges."""

from typing import Any

import pytest

from .client import OMIT, Client, with_member, wrong_fields

ASTRAL = "\U0001f4c4"
DECOMPOSED, COMPOSED = "e\u0301", "\u00e9"
WRONG_TYPES = [5, 1.5, True, False, {}, {"a": "b"}]


def refused(client: Client, path: str, member: str, value: Any) -> None:
    """`value` is refused as `member` alone, and the refusal used nothing up: the path is still free."""
    assert wrong_fields(client.record(path, **{member: value})) == {member}
    client.recorded(path)


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "x" * 255,
        ASTRAL * 255,
        COMPOSED * 255,
        'M\u00fcller & S\u00f6hne \u2013 "final".pdf',
        "a/b\\c",
        "..",
    ],
)
def test_a_name_of_1_to_255_code_points_is_kept(home: Client, stored: str, name: str) -> None:
    assert home.recorded(stored, name=name)["name"] == name


def test_a_name_comes_back_in_normal_form_c(home: Client, stored: str) -> None:
    assert home.recorded(stored, name=f"R{DECOMPOSED}sum{DECOMPOSED}")["name"] == f"R{COMPOSED}sum{COMPOSED}"


def test_no_name_grows_beyond_255_by_being_normalised(home: Client, stored: str) -> None:
    answer = home.record(stored, name="\u0958" * 255)  # a composition exclusion: two code points each in NFC
    assert answer.status_code == 400 or len(answer.json()["data"]["name"]) <= 255


@pytest.mark.parametrize(
    "name",
    [
        *(OMIT, None, [], ["x"], *WRONG_TYPES),
        *("", " ", "   ", "\u00a0", "\u2003\u3000"),
        *("x" * 256, ASTRAL * 256),
        *("a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\x85b", "a\r\nSet-Cookie: x=1"),
    ],
)
def test_any_other_name_is_refused(home: Client, stored: str, name: Any) -> None:
    refused(home, stored, "name", name)


@pytest.mark.parametrize(
    "mime_type",
    [
        "application/pdf",
        "image/svg+xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "text/plain; charset=utf-8",
        "text/plain;charset=utf-8",
        "x-unheard/of",
        "a/" + "b" * 127,
        "a!#$&-^_.+/b!#$&-^_.+",
    ],
)
def test_a_media_type_is_accepted_by_its_syntax(home: Client, stored: str, mime_type: str) -> None:
    kept = home.recorded(stored, mime_type=mime_type)["mime_type"]
    assert kept.replace(" ", "") == mime_type.replace(" ", "")


@pytest.mark.parametrize(
    "mime_type",
    [
        *(OMIT, None, [], ["text/plain"], *WRONG_TYPES),
        *("", " ", "pdf", "/", "application/"),
        *("/pdf", "text/plain/x", "text plain", "text/pl ain", "text\\plain"),
        *("*/*", "image/*", ".x/y", "x/-y"),
        *("a/" + "b" * 128, "a" * 128 + "/b", "t\u00ebxt/plain", "text/pla\u0131n"),
        *("text/plain\n", "text/plain\r\nX-Evil: 1", "text/plain; charset", "text/plain; =x"),
        *("text/plain, text/html", "<text/plain>", '"text/plain"', "text/plain; a=b\r\nX-Evil: 1"),
    ],
)
def test_any_other_media_type_is_refused(home: Client, stored: str, mime_type: Any) -> None:
    refused(home, stored, "mime_type", mime_type)


@pytest.mark.parametrize("description", ["d", "two\nlines\tand a tab", "d" * 4096, ASTRAL * 4096])
def test_a_description_up_to_4096_code_points_with_newlines_and_tabs_is_kept(
    home: Client, stored: str, description: str
) -> None:
    assert home.recorded(stored, description=description)["description"] == description


def test_a_description_comes_back_in_normal_form_c(home: Client, stored: str) -> None:
    assert home.recorded(stored, description=DECOMPOSED)["description"] == COMPOSED


@pytest.mark.parametrize(
    "description",
    [[], ["d"], *WRONG_TYPES, "d" * 4097, ASTRAL * 4097, "a\x1bb", "a\x7fb", "a\x9bb"],
)
def test_any_other_description_is_refused(home: Client, stored: str, description: Any) -> None:
    refused(home, stored, "description", description)


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ([], []),
        (["nda"], ["nda"]),
        (["b", "a", "c"], ["b", "a", "c"]),
        ([" nda ", "\tlegal\n"], ["nda", "legal"]),
        (["a", "b", "a", " b "], ["a", "b"]),
        (["A", "a"], ["A", "a"]),
        ([DECOMPOSED, COMPOSED], [COMPOSED]),
        (["x" * 64, ASTRAL * 64], ["x" * 64, ASTRAL * 64]),
        (["  " + "x" * 64 + "  "], ["x" * 64]),
        ([f"t{n}" for n in range(50)], [f"t{n}" for n in range(50)]),
    ],
)
def test_tags_are_trimmed_composed_and_kept_once_in_order(
    home: Client, stored: str, tags: list[str], kept: list[str]
) -> None:
    assert home.recorded(stored, tags=tags)["tags"] == kept


@pytest.mark.parametrize(
    "tags",
    [
        *("nda", "", *WRONG_TYPES),
        *([5], [None], [True], [{}], [["a"]], [""], ["   "], ["ok", ""]),
        *(["x" * 65], [ASTRAL * 65], [f"t{n}" for n in range(51)]),
    ],
)
def test_any_other_tags_are_refused(home: Client, stored: str, tags: Any) -> None:
    refused(home, stored, "tags", tags)


@pytest.mark.parametrize(
    "size",
    [True, False, 5.5, "5", "", [], [5], {}, -1, 0, 4, 6, 2**53, 2**63 - 1, 2**63, 2**64 + 5, -(2**63) - 1],
)
def test_any_other_size_than_the_stored_integer_is_refused(home: Client, stored: str, size: Any) -> None:
    refused(home, stored, "size_bytes", size)


@pytest.mark.parametrize(("size", "content"), [(True, b"1"), (False, b"")])
def test_a_truth_value_is_no_size_even_where_it_would_be_the_right_number(
    home: Client, size: bool, content: bytes
) -> None:
    refused(home, home.upload(content), "size_bytes", size)


@pytest.mark.parametrize("text", ["5.0", "5e0", "50e-1"])
def test_a_size_written_as_a_real_number_is_refused_or_taken_as_its_integer(
    home: Client, stored: str, text: str
) -> None:
    answer = home.post("/v1/documents", with_member(home.document(stored), "size_bytes", text))
    if answer.status_code == 201:
        assert '"size_bytes":5,' in answer.text.replace(" ", "")
    else:
        assert wrong_fields(answer) == {"size_bytes"}


@pytest.mark.parametrize("text", ["1e400", "-1e400", "9" * 400, "9" * 5000, "1e-400", "-0.5"])
def test_a_size_no_machine_can_hold_is_refused(home: Client, stored: str, text: str) -> None:
    answer = home.post("/v1/documents", with_member(home.document(stored), "size_bytes", text))
    assert answer.status_code == 400
    home.recorded(stored)
