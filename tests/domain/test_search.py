"""Searches: the texts that are equal, the words of a search, and the words that an index can find."""

import unicodedata

import pytest
from hypothesis import given

from domain.members import RuleViolation
from domain.search import GRAMS_MAX, DocumentFilter, grams, has_trigram, search_text, search_words
from domain.text import fold
from tests.domain.anything import UNICODE, ask

EQUAL = {
    "the letters I of Turkish": ["i", "I", "\u0130", "\u0131", "i\u0307", "I\u0307", "\U0001d6a4"],
    "the sharp s": ["strasse", "stra\xdfe", "STRASSE", "STRA\u1e9eE"],
    "the letters s of Greek, and diacritics": ["\u03c3\u03b9\u03c3\u03c2", "\u03a3\u03af\u03c3\u03c3"],
    "full width": ["file 2.pdf", "\uff26\uff49\uff4c\uff45\u3000\uff12\uff0e\uff30\uff24\uff26"],
    "half width": ["\u30ac\u30ae", "\uff76\uff9e\uff77\uff9e"],
    "compatibility forms": [
        "file 1/2 m2 tel",
        "file 1\u20442 m2 tel",
        "\ufb01le 1\u20442 m\xb2 \u2121",
        "\ufb01le \xbd m2 TEL",
    ],
    "Latin diacritics": ["resume uber", "R\xe9sum\xe9 \xdcber", "re\u0301sume\u0301 u\u0308ber"],
    "two diacritics on a letter": ["viet", "vi\u1ec7t", "vie\u0323\u0302t"],
    "Cyrillic diacritics": ["\u0451\u043b\u043a\u0438", "\u0415\u041b\u041a\u0419", "\u0415\u0308\u043b\u043a\u0438"],
    "strokes": ["lodz hodgson kobenhavn", "\u0141\xf3d\u017a \u0126odgson K\xf8benhavn"],
    "Vietnamese, Croatian and Maltese": ["dong dakovo hal", "\u0111\u1ed3ng \u0110akovo \u0126al"],
    "Hausa hooks": ["barna daya kasar", "\u0181arna \u0257aya \u0199asar"],
    "Sami": ["atnuoddit gukteg", "\xe1\u0167\u014buoddit guk\u0167e\u01e5"],
    "Danish and French ligatures": ["aero coeur", "\xc6r\xf8 c\u0153ur", "\xe6\u0301ro coeur"],
    "Icelandic": ["thordur", "\xde\xf3r\xf0ur", "\xde\xd3R\xd0UR"],
    "Ukrainian and Kazakh": ["\u0433\u0430 \u043a\u044b\u0437", "\u0491\u0430 \u049b\u044b\u0437"],
    "invisible characters": ["vertrag", "ver\xadtrag", "ver\u200btrag", "\ufeffvertrag", "ver\u2060trag\u200e"],
    "joiners": ["\u0645\u06cc\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"],
    "variation selectors": ["\u2764", "\u2764\ufe0f"],
    "apostrophes": ["o'brien's", "O\u2019Brien\u2018s", "o\xb4brien\u02bcs", "o\u2032brien\uff07s"],
    "hyphens, dashes and the minus": [
        "e-mail 5-7",
        "e\u2011mail 5\u20137",
        "e\u2010mail 5\u22127",
        "E\u2014Mail 5\uff0d7",
    ],
    "quotation marks": ['"a" "b"', "\u201ca\u201d \xabb\xbb", "\u201ea\u201c \xbbb\xab", "\uff02a\uff02 \u201eb\u201d"],
    "white space": ["a b", "a  b", "a\tb", "a\nb", "a\xa0b", "a\u3000b", "a\u2028 \u2003b"],
    "forms of a Hangul syllable": ["\uac01", "\u1100\u1161\u11a8"],
    "forms of a Hindi letter": ["\u0958", "\u0915\u093c"],
}


@pytest.mark.parametrize("texts", EQUAL.values(), ids=EQUAL)
def test_texts_that_a_search_treats_as_equal_are_folded_to_the_same_text(texts: list[str]) -> None:
    assert len({fold(text) for text in texts}) == 1


DIFFERENT = {
    # `\u304b` and `\u304c` are "ka" and "ga"; a mark of Hindi is a vowel.
    "Japanese voiced letters": ("\u304b", "\u304c"),
    "Hindi vowels": ("\u0915\u093f", "\u0915\u0940"),
    "a Hindi letter with a dot": ("\u0915", "\u0915\u093c"),
    "Hebrew points": ("\u05e9\u05c1", "\u05e9\u05c2"),
    "Japanese scripts": ("\u304b", "\u30ab"),
    "alphabets": ("a", "\u0430"),
    "an umlaut and its spelling without": ("gro\xdfe", "gr\xf6esse"),
    "white space and none": ("a b", "ab"),
    "punctuation": ("a-b", "a_b"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_letters_that_a_search_distinguishes_are_folded_to_different_texts(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_folding_any_character_again_changes_nothing() -> None:
    ideographs = {*range(0x3400, 0xA000), *range(0xAC00, 0xE000), *range(0x20000, 0x2F800), *range(0x30000, 0xE0000)}
    for char in map(chr, {*range(0xE1000)} - ideographs):
        # With neighbours, because characters can compose with each other or change their order.
        once = fold(text := f"a{char}\u0301\u304b{char}")
        assert fold(once) == once, ascii(text)


@given(UNICODE)
def test_a_folded_text_is_in_nfc_and_folding_it_again_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(("characters", "folded"), [(1, 18), (55, 990), (56, 1000), (500, 1000), (4096, 8192)])
def test_the_fold_of_ligatures_is_cut_at_twice_their_number_or_at_1000_characters(characters: int, folded: int) -> None:
    assert len(fold("\ufdfa" * characters)) == folded
    assert fold("\ufdfa" * characters) == fold("\ufdfa" * 4096)[:folded]


@pytest.mark.parametrize("marks", ["\u0316", "\u0316\u200d", "\u0327\u0301"], ids=ascii)
def test_a_fold_keeps_30_marks_in_a_row_because_more_take_quadratic_time(marks: str) -> None:
    # A fold removes joiners, so they do not interrupt the marks.
    assert len(fold("\u304b" + marks * 60)) == 31


# A Hebrew acronym, with gershayim before its last letter.
ACRONYM = "\u05e6\u05d4\u05f4\u05dc"


@pytest.mark.parametrize(
    ("search", "name", "description", "found"),
    [
        *(("NDA", "Acme-nda-2026.pdf", None, True), ("2026 acme", "Acme NDA 2026", None, True)),
        *(("acme 2026", "Acme.pdf", "of 2026", True), ("seite 2", "a", "Seite 1\nSeite 2", True)),
        *(('"nda 2026"', "NDA  2026", None, True), ('"2026 acme"', "Acme 2026", "b", False)),
        *(
            (f"{ACRONYM} 2024", f"2024 {ACRONYM}", None, True),
            ('\u05e6\u05d4"\u05dc 2024', f"2024 {ACRONYM}", None, True),
        ),
        *((f'"{ACRONYM} 2024"', f"2024 {ACRONYM}", None, False), (f'"2024 {ACRONYM}"', f"2024 {ACRONYM}", None, True)),
        *(("acme none", "acme", "b", False), ("ab", "a", "b", False), ('"a b"', "a", "b", False)),
    ],
)
def test_a_search_finds_a_document_whose_name_or_description_contains_each_of_its_words(
    search: str, name: str, description: str | None, found: bool
) -> None:
    assert all(word in search_text(name, description) for word in search_words(search)) is found


@pytest.mark.parametrize(
    ("search", "words"),
    [
        *(("", ()), ("a", ("a",)), ("Acme NDA", ("acme", "nda")), ("a  b\u3000c", ("a", "b", "c"))),
        *(("a A \xe1", ("a",)), ('"a b"', ("a b",)), ('"a  B" c', ("a b", "c")), ('a,"b c",d', ("a,", "b c", ",d"))),
        # A quote between two letters or digits is part of a word, such as a Hebrew acronym.
        *(('a"b c"d', ('a"b', 'c"d')), ("\u05e6\u05d4\u05f4\u05dc 2024", ('\u05e6\u05d4"\u05dc', "2024"))),
        *(('\u05e6\u05d4"\u05dc 2024', ('\u05e6\u05d4"\u05dc', "2024")), ('"a"b c" d', ('a"b c', "d"))),
        *(("\u201ea\u201db c\u201c", ('a"b c',)), ('a""b', ("a", "b")), ('"a""b"', ("a", "b"))),
        # A quote that is not closed reaches to the end, and empty quotes are nothing.
        *(('"a b', ("a b",)), ('a "', ("a",)), ('"" a', ("a",)), ('" a "', ("a",)), ("'a b'", ("'a", "b'"))),
        *(("\xadx", ("x",)), ("a\u200cb", ("ab",)), ("\uff02a b\uff02", ("a b",))),
        *(("\u201ca b\u201d \u201ec d\u201c", ("a b", "c d")), ("\xaba b\xbb \xbbc d\xab", ("a b", "c d"))),
    ],
    ids=ascii,
)
def test_a_part_of_a_search_in_double_quotes_is_one_word(search: str, words: tuple[str, ...]) -> None:
    assert search_words(search) == words


@pytest.mark.parametrize("search", ['"', '""', '" "', '" " ""', '"\xad"', " ", "\u3000", "\u200b", "\u2800"], ids=ascii)
def test_a_search_for_nothing_that_can_be_seen_is_refused(search: str) -> None:
    with pytest.raises(RuleViolation, match=r"blank|something to search for"):
        search_words(search)


@given(UNICODE)
def test_the_words_of_any_search_are_folded_and_not_empty(search: str) -> None:
    words = ask(search_words, search)
    if not isinstance(words, RuleViolation):
        assert all(word == fold(word).strip() != "" for word in words)


TRIGRAMS = ["abc", "a-bcd", "...abc", "123", "12e", "id-17", "ab-", "-ab", "ab%", "_ab", "ab cd", "\u5951\u7d04\u66f8"]
NO_TRIGRAMS = ["", "a", "ab", "a-b", "a_b", "%%%", "___", "a.b", "a-b-c", "\u5951\u7d04", "\u0915\u093f"]


@pytest.mark.parametrize(
    ("word", "has"), [*((word, True) for word in TRIGRAMS), *((word, False) for word in NO_TRIGRAMS)], ids=ascii
)
def test_a_word_of_three_letters_or_of_two_beside_a_sign_has_a_trigram(word: str, has: bool) -> None:
    assert has_trigram(word) is has


@pytest.mark.parametrize(
    ("words", "indexed"),
    [
        *(((), False), (("ab",), False), (("a", "b"), False), (("a", "abc"), True), (("\u5951",), True)),
        (("a", "\u0915\u093f"), True),
    ],
    ids=ascii,
)
def test_a_search_can_use_the_index_if_one_of_its_words_can(words: tuple[str, ...], indexed: bool) -> None:
    assert DocumentFilter(words=words).is_search_indexed is indexed


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *(("abc", ()), ("", ()), ("\u5951", ("\u5951",)), ("a\u5951", ("a\u5951",)), ("\u5951 b", ("\u5951",))),
        *(("\u5951\u7d04\u66f8", ("\u5951\u7d04", "\u7d04\u66f8")), ("ab\u5951", ("b\u5951",))),
        *(("\u5951\u5951\u5951", ("\u5951\u5951",)), ("\u0915\u093f", ("\u0915\u093f",))),
    ],
    ids=ascii,
)
def test_the_grams_of_a_word_are_its_pairs_with_a_non_ascii_letter(word: str, expected: tuple[str, ...]) -> None:
    assert grams(word) == expected


def test_at_most_8_grams_of_a_word_are_looked_up() -> None:
    assert len(grams("".join(map(chr, range(0x4E00, 0x4E40))))) == GRAMS_MAX == 8
    assert len(grams(" ".join(map(chr, range(0x4E00, 0x4E40))))) == GRAMS_MAX
