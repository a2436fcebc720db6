"""What `find` promises, on every adapter: its rules are told here once more, in plain Python."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.ids import DocumentId, WorkspaceId
from domain.pages import PAGE_MAX, PER_PAGE_MAX, Page
from domain.paths import FolderPath
from domain.search import EVERYTHING, DocumentFilter
from domain.text import fold
from ports.outcomes import Created
from ports.queries import After, DocumentPage
from tests.contracts.records import Records

NAMES = (
    "Straße.pdf", "STRASSE", "İstanbul", "istanbul", "ﬁle", "File", "Café", "CAFE", "ΣΊΣΥΦΟΣ", "σίσυφος", "100%",
    "1000", "a_b", "aXb", "a\\b", "a\\_b", "it's", '"quoted"', "中文文档.docx", "\N{GRINNING FACE}", "a.*b", "N.D.A.",
    "x" * 255,
)  # fmt: skip
DESCRIPTIONS = (None, "", "Vertrag über die Straße\nSeite 2", "%_\\", "100 % of it", "ÜBER", "aXb\ta_b", "é" * 4096)
FOLDERS = (None, "/a", "/a/b", "/a/b/c", "/ab", "/a!", "/a0", "/A", "/a_", "/aX", "/a%", "/ä", "/z/a")
TAGS = ("nda", "NDA", "Ü", "ü", "100%", "1000", "a_b", "aXb", "\\", "'", "{a,b}", "NULL")
MIME_TYPES = ("application/pdf", "application/PDF", "text/plain", "text/plain; charset=utf-8", "text/plain_")

ALL = Page(1, 10_000)


def passes(document: Document, wanted: DocumentFilter) -> bool:
    """Whether all of the filter applies."""
    below = wanted.folder is None or f"{document.folder or ''}/".startswith(f"{wanted.folder}/")
    texts = [fold(document.name), fold(document.description or "")]
    return (
        (below if wanted.recursive else document.folder == wanted.folder)
        and all(tag in document.tags for tag in wanted.tags)
        and (wanted.mime_type is None or document.mime_type == wanted.mime_type)
        and any(wanted.search in text for text in texts)
        and (wanted.created_after is None or document.created_at >= wanted.created_after)
    )


def expected(documents: Sequence[Document], wanted: DocumentFilter, place: Page | After) -> DocumentPage:
    """What `find` has to answer when these are all that there are."""
    passing = sorted((item for item in documents if passes(item, wanted)), key=lambda item: item.id, reverse=True)
    if isinstance(place, After):
        rest = [document for document in passing if document.id < place.document]
    else:
        rest = passing[(place.number - 1) * place.size :]
    return DocumentPage(tuple(rest[: place.size]), len(passing), total_is_exact=True, more=len(rest) > place.size)


def a_folder(chance: random.Random) -> FolderPath | None:
    path = chance.choice(FOLDERS)
    return None if path is None else FolderPath(path)


async def library(records: Records, home: Workspace, chance: random.Random) -> list[Document]:
    """Some of everything; some recorded at the same time."""
    documents = []
    for number in range(60):
        records.clock.advance(seconds=chance.choice((0, 0, 1e-6, 0.0015, 1, 3600)))
        document = records.document(
            home,
            path=f"documents/{number}",
            name=chance.choice(NAMES),
            description=chance.choice(DESCRIPTIONS),
            mime_type=chance.choice(MIME_TYPES),
            folder=a_folder(chance),
            tags=tuple(chance.sample(TAGS, chance.choice((0, 1, 3, 6)))),
        )
        documents.append(document)
    # Newest first by their ids, whoever came first.
    for document in chance.sample(documents, len(documents)):
        assert await records.documents.create(document, records.intent(home)) == Created(document)
    return documents


def a_filter(chance: random.Random, documents: Sequence[Document]) -> DocumentFilter:
    """Most often one that something passes."""
    one = chance.choice(documents)
    text = fold(chance.choice((one.name, one.description or "", "nothing"))).replace("\n", " ")
    begin, length = chance.randrange(len(text) + 1), chance.choice((1, 2, 3, 5, 300))
    around = chance.choice(documents).created_at + timedelta(microseconds=chance.choice((-1, 0, 0, 1)))
    return DocumentFilter(
        folder=chance.choice((None, one.folder, a_folder(chance))),
        recursive=chance.random() < 0.7,
        tags=tuple(chance.sample(one.tags, chance.choice((0, 0, min(1, len(one.tags)), len(one.tags))))),
        mime_type=chance.choice((None, None, one.mime_type, "text/PLAIN")),
        search=chance.choice(("", "", text[begin : begin + length])),
        created_after=chance.choice((None, None, around)),
    )


def a_place(chance: random.Random, documents: Sequence[Document], unknown: DocumentId) -> Page | After:
    size = chance.choice((1, 2, 7, 100))
    after = chance.choice([unknown, *(document.id for document in documents)])
    return chance.choice((ALL, Page(chance.choice((1, 2, 3)), size), After(after, size)))


@pytest.mark.parametrize("seed", range(3))
async def test_every_filter_finds_what_the_rules_say(records: Records, seed: int) -> None:
    chance = random.Random(seed)
    home = await records.workspace()
    documents = await library(records, home, chance)
    unknown = DocumentId("doc_" + records.new_id(records.clock()))
    sizes = set()
    for _ in range(60):
        wanted, place = a_filter(chance, documents), a_place(chance, documents, unknown)
        found = await records.documents.find(home.id, wanted, place)
        assert found == expected(documents, wanted, place), (wanted, place)
        sizes.add(min(found.total, 3))
    assert sizes == {0, 1, 2, 3}


SINGLE = (
    *(
        DocumentFilter(folder=None if at is None else FolderPath(at), recursive=deep)
        for at in FOLDERS
        for deep in (False, True)
    ),
    *(DocumentFilter(tags=(tag,)) for tag in (*TAGS, "nd", "a")),
    *(DocumentFilter(mime_type=kind) for kind in (*MIME_TYPES, "text/plai")),
    *(DocumentFilter(search=fold(name)) for name in NAMES),
    *(
        DocumentFilter(search=text)
        for text in ("%", "_", "\\", "'", "%%", "a_", "a%b", "_b", ".*", "é" * 255, "ss", " ")
    ),
)


async def test_every_filter_by_itself_finds_what_the_rules_say(records: Records) -> None:
    chance = random.Random(5)
    home = await records.workspace()
    documents = await library(records, home, chance)
    for wanted in SINGLE:
        assert await records.documents.find(home.id, wanted, ALL) == expected(documents, wanted, ALL), wanted


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("Straße", "STRASSE", True),
        ("STRASSE", "straße", True),
        ("ﬁle", "FIL", True),
        ("FILE", "ﬁ", True),
        ("İstanbul", "İSTANBUL", True),
        ("İstanbul", "istanbul", False),
        ("ISTANBUL", "ıstanbul", False),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", True),
        ("Café", "cafe\N{COMBINING ACUTE ACCENT}", True),
        ("Café", "CAFÉ", True),
        ("Café", "cafe", False),
        ("Ångström", "\N{ANGSTROM SIGN}NG", True),
        ("Ǆungla", "ǆU", True),
        ("ᏣᎳᎩ", "ꮳꮃꭹ", True),
    ],
)
async def test_letter_case_is_what_python_folds(records: Records, name: str, text: str, *, is_found: bool) -> None:
    home = await records.workspace()
    wanted = DocumentFilter(search=fold(text))
    by_name, by_text = (
        await records.recorded(home, name=name),
        await records.recorded(home, description=f"x\n{name}\ny"),
    )
    assert await records.all(home, wanted) == ((by_text, by_name) if is_found else ())


async def test_a_document_is_as_old_as_its_microsecond(records: Records) -> None:
    home = await records.workspace()
    documents = []
    for _ in range(4):
        records.clock.advance(microseconds=1)
        documents.append(await records.recorded(home))
    for number, document in enumerate(documents):
        found = await records.all(home, DocumentFilter(created_after=document.created_at))
        assert found == tuple(reversed(documents[number:]))
    records.clock.advance(microseconds=1)
    for at, wanted in (
        (records.clock(), ()),
        (datetime.max.replace(tzinfo=UTC), ()),
        (datetime.min.replace(tzinfo=UTC), tuple(reversed(documents))),
        (datetime(1969, 12, 31, tzinfo=UTC), tuple(reversed(documents))),
    ):
        assert await records.all(home, DocumentFilter(created_after=at)) == wanted


async def test_a_search_does_not_run_from_the_name_into_the_description(records: Records) -> None:
    home = await records.workspace()
    await records.recorded(home, name="abc", description="def")
    for text in ("cd", "abcdef", "c d"):
        assert await records.all(home, DocumentFilter(search=text)) == ()


async def test_pages_tile_the_list(records: Records) -> None:
    home = await records.workspace()
    documents = [await records.recorded(home, folder="/a") for _ in range(6)][::-1]
    pages: tuple[tuple[Page, list[Document], bool], ...] = (
        (Page(1, 3), documents[:3], True),
        (Page(2, 3), documents[3:], False),
        (Page(3, 3), [], False),
        (Page(1, 6), documents, False),
        (Page(PAGE_MAX, PER_PAGE_MAX), [], False),
    )
    for wanted in (EVERYTHING, DocumentFilter(folder=FolderPath("/a"))):
        for page, rows, more in pages:
            found = await records.documents.find(home.id, wanted, page)
            assert found == DocumentPage(tuple(rows), 6, total_is_exact=True, more=more)


async def test_a_cursor_need_not_be_a_document_that_is_there(records: Records) -> None:
    home = await records.workspace()
    ids = [DocumentId("doc_" + records.new_id(records.clock()))]
    documents = []
    for _ in range(3):
        documents.append(await records.recorded(home))
        ids.append(DocumentId("doc_" + records.new_id(records.clock())))
    for number, id_ in enumerate(ids):
        found = await records.documents.find(home.id, EVERYTHING, After(id_, 2))
        wanted = documents[:number][::-1]
        assert found == DocumentPage(tuple(wanted[:2]), 3, total_is_exact=True, more=number > 2)


@pytest.mark.parametrize("wanted", [EVERYTHING, DocumentFilter(tags=("nda",))], ids=["all", "filtered"])
async def test_a_walk_meets_once_whatever_stays_while_documents_come_and_go(
    records: Records, wanted: DocumentFilter
) -> None:
    home = await records.workspace(quota_bytes=10_000)
    recorded = [await records.recorded(home, tags=tags) for _ in range(15) for tags in ((), ("a", "nda"), ("nda",))]
    documents = [document for document in recorded if passes(document, wanted)]
    staying = {document.id for document in documents}
    met: list[DocumentId] = []
    place: Page | After = Page(1, 4)
    while True:
        found = await records.documents.find(home.id, wanted, place)
        met += [document.id for document in found.documents]
        if not found.more:
            break
        place = After(met[-1], 4)
        # The one the walk stands on, the next one, and new ones in front of all.
        following = documents[[item.id for item in documents].index(met[-1]) - 1]
        for gone in (met[-1], following.id):
            await records.delete(home, gone)
            staying.discard(gone)
        records.clock.advance(seconds=1)
        await records.recorded(home)
        await records.patch(home, documents[0].id, name=f"{len(met)}")
    assert all(later < earlier for earlier, later in pairwise(met))
    assert staying <= set(met)


async def test_nothing_is_found_where_nothing_is(records: Records) -> None:
    nothing = DocumentPage((), 0, total_is_exact=True, more=False)
    home = await records.workspace()
    for workspace in (home.id, WorkspaceId("ws_" + records.new_id(records.clock()))):
        for wanted in (EVERYTHING, SINGLE[0], SINGLE[3], DocumentFilter(search="abc"), DocumentFilter(search="a")):
            for place in (ALL, After(DocumentId("doc_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), 100)):
                assert await records.documents.find(workspace, wanted, place) == nothing


@pytest.mark.parametrize(
    ("search", "is_indexed"),
    [
        ("abc", True),
        ("ab", False),
        ("", False),
        ("a_b", False),
        ("a-b-c", False),
        ("...abc", True),
        ("中文文", True),
        ("12é", True),
    ],
)
def test_three_letters_or_digits_in_a_row_are_indexed(search: str, *, is_indexed: bool) -> None:
    assert DocumentFilter(search=search).is_search_indexed is is_indexed
