"""The limits of counts and searches of `DocumentRepository.find`, and the searches that cover documents of any age."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.pages import Page
from domain.search import EVERYTHING, DocumentFilter, search_words
from domain.text import fold
from ports.queries import After, DocumentPage
from tests.contracts.records import Records

LIMIT = 20
FIRST = Page(1, 100)


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count and search fewer documents than a deployment does. The adapters pass both numbers on."""
    for adapter in ("memory", "postgres"):
        for name in ("COUNT_MAX", "SEARCH_WINDOW"):
            monkeypatch.setattr(f"adapters.{adapter}.queries.{name}", LIMIT)


async def workspace_of(records: Records, names: Sequence[str]) -> tuple[Workspace, list[Document]]:
    """Return a workspace with documents of these names, oldest first."""
    home = await records.workspace()
    documents = []
    for name in names:
        records.clock.advance(milliseconds=1)
        documents.append(await records.recorded(home, name=name, description=None, folder="/a", tags=("all",)))
    return home, documents


async def test_a_count_at_its_limit_is_reported_as_not_exact(records: Records) -> None:
    home, documents = await workspace_of(records, ["none"] * (LIMIT + 1))
    oldest, second, third = documents[:3]
    last = Page(LIMIT + 1, 1)

    async def find(wanted: DocumentFilter, place: Page | After = last) -> DocumentPage:
        return await records.documents.find(home.id, wanted, place)

    assert await find(EVERYTHING) == DocumentPage((oldest,), LIMIT + 1, total_is_exact=True, more=False)
    wide = (
        DocumentFilter(folder=oldest.folder),
        DocumentFilter(folder=oldest.folder, recursive=False),
        DocumentFilter(tags=("all",)),
        DocumentFilter(mime_type=oldest.mime_type),
        DocumentFilter(created_after=oldest.created_at),
        DocumentFilter(created_after=oldest.created_at - timedelta(days=1), tags=("all",)),
        DocumentFilter(created_before=documents[-1].created_at + timedelta(seconds=1)),
        DocumentFilter(sha256=oldest.stored.sha256),
        DocumentFilter(words=("none",)),
    )
    for wanted in wide:
        # The count ends at the limit, but the documents beyond it can be read.
        assert await find(wanted) == DocumentPage((oldest,), LIMIT, total_is_exact=False, more=False)
        found = await find(wanted, After(third.id, 1))
        assert found == DocumentPage((second,), LIMIT, total_is_exact=False, more=True)
    # After one document is deleted, the count no longer exceeds the limit, so it is exact.
    await records.delete(home, documents[-1].id)
    for wanted in wide:
        found = await find(wanted, After(second.id, 1))
        assert found == DocumentPage((oldest,), LIMIT, total_is_exact=True, more=False)


WINDOWED = [("*",), ("q",), ("qx",), ("qx", "*"), ("x*", "q"), ("--",), ("q x",)]


@pytest.mark.parametrize("words", WINDOWED, ids=str)
async def test_a_short_ascii_search_covers_the_newest_documents(records: Records, words: tuple[str, ...]) -> None:
    home, (oldest, second, *rest) = await workspace_of(records, ["q x*qx--"] * 2 + ["none"] * (LIMIT - 1))
    wanted = DocumentFilter(words=words)
    found = await records.documents.find(home.id, wanted, FIRST)
    assert found == DocumentPage((second,), 1, total_is_exact=False, more=False)
    assert await records.documents.find(home.id, wanted, After(second.id, 9)) == DocumentPage(
        (), 1, total_is_exact=False, more=False
    )
    missed = await records.documents.find(home.id, DocumentFilter(words=(*words, "zz")), FIRST)
    assert missed == DocumentPage((), 0, total_is_exact=False, more=False)
    # With one document less, the search covers all.
    await records.delete(home, rest[0].id)
    found = await records.documents.find(home.id, wanted, FIRST)
    assert found == DocumentPage((second, oldest), 2, total_is_exact=True, more=False)


NAMES = {
    "Chinese": "买卖合同 第二版",
    "Chinese, beyond the basic plane": "𠮷野家𠀋",
    "Japanese": "契約書のコピー ﾊﾞｯｸｱｯﾌﾟ",
    "Korean": "임대차 계약서",
    "Korean, as macOS writes it": "\u1100\u1161\u11a8 \u1102\u1161",
    "Hindi": "विक्रय अनुबंध",
    "Tamil": "விற்பனை ஒப்பந்தம்",
    "Thai": "สัญญาซื้อขาย กำหนด",
    "Arabic": "عَقْد بيع ٢٠٢٦",
    "Persian, with joiners": "قرارداد می\u200cخواهم",
    "Hebrew": "חוֹזֶה מכר",
    "Russian": "Договор аренды",
    "Greek": "Σύμβαση μίσθωσης",
    "emoji": "📄✍\ufe0f 👩\u200d⚖\ufe0f",
    "mixed with ASCII": "b1章-c第2",
}


@pytest.mark.parametrize("script", NAMES)
async def test_one_or_two_letters_of_other_scripts_find_documents_of_any_age(records: Records, script: str) -> None:
    home, (oldest, *_) = await workspace_of(records, [NAMES[script]] + ["none"] * LIMIT)
    text = fold(NAMES[script])
    pieces = {text[begin : begin + length] for begin in range(len(text)) for length in (1, 2, 3, len(text))}
    pieces = {piece for piece in pieces if not piece.strip().isascii()}
    assert pieces
    for piece in sorted(pieces):
        found = await records.documents.find(home.id, DocumentFilter(words=(piece,)), FIRST)
        assert found == DocumentPage((oldest,), 1, total_is_exact=True, more=False), piece
    letters = sorted({letter for letter in text if not letter.isascii()})
    for piece in (f"{letters[-1]}{letters[0]}", f"{letters[0]}龘", "龘", f"{text}{letters[0]}"):
        expected = (oldest,) if piece in text else ()
        found = await records.documents.find(home.id, DocumentFilter(words=(piece,)), FIRST)
        assert found == DocumentPage(expected, len(expected), total_is_exact=True, more=False), piece


SEARCHES = {
    "合同": {"合同 买卖.pdf", "买卖合同"},
    "买卖 合同": {"合同 买卖.pdf", "买卖合同"},
    '"买卖 合同"': set(),
    '"合同 买卖"': {"合同 买卖.pdf"},
    "合 df": {"合同 买卖.pdf"},
    "df 合": {"合同 买卖.pdf"},
    "BERICHT январь": {"Январь Bericht"},
    "cv ｒｅｓｕｍｅ": {"Résumé ＣＶ"},
    '"cv resume"': set(),
    "groesse": set(),
    "पत्र किराया": {"किराया पत्र"},
    "किराया पत्रिका": set(),
    "sure 100%": {"100% sure"},
}
"""A search as a client sends it, and the names of the documents that it finds."""


async def test_all_words_of_a_search_are_found_in_any_order_and_a_phrase_as_it_is(records: Records) -> None:
    names = {name for found in SEARCHES.values() for name in found} | {"Große Straße"}
    home, _ = await workspace_of(records, [*sorted(names), *["none"] * LIMIT])
    for search, expected in SEARCHES.items():
        found = await records.documents.find(home.id, DocumentFilter(words=search_words(search)), FIRST)
        assert {document.name for document in found.documents} == expected, search
        assert (found.total, found.total_is_exact) == (len(expected), True), search


async def test_a_document_that_was_recorded_after_the_clock_went_back_is_found_by_its_time(records: Records) -> None:
    home = await records.workspace()
    late = await records.recorded(home)
    records.clock.advance(minutes=-50)
    early = await records.recorded(home)
    between = late.created_at - timedelta(minutes=5)
    assert early.id > late.id
    assert await records.all(home, DocumentFilter(created_before=between)) == (early,)
    assert await records.all(home, DocumentFilter(created_after=between)) == (late,)
