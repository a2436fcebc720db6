"""The guarantees of `DocumentRepository.find`. The tests implement a filter a second time, in plain Python, and
compare. `test_model` combines filters and pages."""

import random
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.documents import Document
from domain.ids import DocumentId
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import EVERYTHING, DocumentFilter
from domain.text import fold
from ports.outcomes import Created
from ports.queries import After
from tests.contracts.records import Records

NAMES = (
    "Straße.pdf", "STRASSE", "İstanbul", "istanbul", "ﬁle", "File", "Café", "CAFE", "ΣΊΣΥΦΟΣ", "σίσυφος", "100%",
    "1000", "a_b", "aXb", "a\\b", "a\\_b", "it's", '"quoted"', "中文文档.docx", "\N{GRINNING FACE}", "a.*b", "N.D.A.",
    "Ångström", "Ǆungla", "ᏣᎳᎩ", "x" * 255, "\u05e6\u05d4\u05f4\u05dc 2024",
)  # fmt: skip
DESCRIPTIONS = (None, "", "Vertrag über die Straße\nSeite 2", "%_\\", "100 % of it", "ÜBER", "aXb\ta_b", "é" * 4096)
FOLDERS = (None, "/a", "/a/b", "/a/b/c", "/ab", "/a!", "/a0", "/A", "/a_", "/aX", "/a%", "/ä", "/z/a")
TAGS = ("nda", "NDA", "Ü", "ü", "100%", "1000", "a_b", "aXb", "\\", "'", "{a,b}", "NULL")
DIGESTS = (None, "ab" * 32, "cd" * 32, "0" * 64)
MIME_TYPES = ("application/pdf", "application/PDF", "text/plain", "text/plain; charset=utf-8", "text/plain_")


def passes(document: Document, wanted: DocumentFilter) -> bool:
    """Return whether the document passes the filter."""
    below = wanted.folder is None or f"{document.folder or ''}/".startswith(f"{wanted.folder}/")
    texts = [fold(document.name), fold(document.description or "")] if wanted.words else []
    return (
        (below if wanted.recursive else document.folder == wanted.folder)
        and all(tag in document.tags for tag in wanted.tags)
        and (wanted.mime_type is None or document.mime_type == wanted.mime_type)
        and all(any(word in text for text in texts) for word in wanted.words)
        and (wanted.created_after is None or document.created_at >= wanted.created_after)
        and (wanted.created_before is None or document.created_at < wanted.created_before)
        and (wanted.sha256 is None or document.stored.sha256 == wanted.sha256)
    )


SINGLE_FILTERS = (
    *(
        DocumentFilter(folder=None if folder is None else FolderPath(folder), recursive=recursive)
        for folder in FOLDERS
        for recursive in (False, True)
    ),
    *(DocumentFilter(tags=(tag,)) for tag in (*TAGS, "nd", "a")),
    *(DocumentFilter(mime_type=mime_type) for mime_type in (*MIME_TYPES, "text/plai")),
    *(DocumentFilter(words=(fold(name),)) for name in NAMES),
    *(
        DocumentFilter(words=words)
        for words in (
            *((text,) for text in ("%", "_", "\\", "'", "%%", "a_", "a%b", ".*", "e" * 255, "ss", " ", "pdfvertrag")),
            *(("strasse", "vertrag"), ("seite", "pdf"), ("中", "e"), ("e", "中"), ("中文", "文中"), ("a", "nowhere")),
        )
    ),
    # The calendar begins and ends with these, and ids with 1970.
    *(
        bound
        for at in (
            datetime.min.replace(tzinfo=UTC),
            datetime(1969, 12, 31, tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
        )
        for bound in (DocumentFilter(created_after=at), DocumentFilter(created_before=at))
    ),
    *(DocumentFilter(sha256=digest) for digest in (*DIGESTS[1:], "ef" * 32)),
)


def both(first: DocumentFilter, second: DocumentFilter) -> DocumentFilter:
    """Return the filter that has the conditions of both, where they concern different members."""
    conditions = asdict(first).items() - asdict(EVERYTHING).items()
    return replace(second, **dict(conditions))


async def test_filters_find_what_a_second_implementation_finds(records: Records) -> None:
    home, chance = await records.workspace(), random.Random(5)
    documents = []
    for number in range(60):
        # Some have the same time.
        records.clock.advance(seconds=chance.choice((0, 0, 1e-6, 0.0015, 1, 3600)))
        documents.append(
            records.document(
                home,
                path=f"documents/{number}",
                name=chance.choice(NAMES),
                description=chance.choice(DESCRIPTIONS),
                mime_type=chance.choice(MIME_TYPES),
                folder=chance.choice(FOLDERS),
                tags=tuple(chance.sample(TAGS, chance.choice((0, 1, 3, 6)))),
                sha256=chance.choice(DIGESTS),
            )
        )
    # They are recorded in another order than that of their ids.
    for document in chance.sample(documents, len(documents)):
        assert await records.create(home, document) == Created(document)
    at, instant = documents[30].created_at, timedelta(microseconds=1)
    bounds = [
        bound
        for time in (at - instant, at, at + instant)
        for bound in (DocumentFilter(created_after=time), DocumentFilter(created_before=time))
    ]
    filters = [*SINGLE_FILTERS, *bounds]
    pairs = [chance.sample(filters, 2) for _ in range(100)]
    for wanted in [*filters, *(both(*pair) for pair in pairs)]:
        passing = sorted((item for item in documents if passes(item, wanted)), key=lambda item: item.id, reverse=True)
        assert await records.all(home, wanted) == tuple(passing), wanted


@pytest.mark.parametrize("wanted", [EVERYTHING, DocumentFilter(tags=("nda",))], ids=["all", "filtered"])
async def test_a_walk_by_cursor_finds_each_lasting_document_once(records: Records, wanted: DocumentFilter) -> None:
    home = await records.workspace(quota_bytes=10_000)
    recorded = [await records.recorded(home, tags=tags) for _ in range(15) for tags in ((), ("a", "nda"), ("nda",))]
    documents = [document for document in recorded if passes(document, wanted)]
    lasting = {document.id for document in documents}
    met: list[DocumentId] = []
    place: Page | After = Page(1, 4)
    while True:
        found = await records.documents.find(home.id, wanted, place)
        met += [document.id for document in found.documents]
        if not found.more:
            break
        place = After(met[-1], 4)
        # Delete the document that is the cursor and the next one; add a newer one; change the last one.
        following = documents[[item.id for item in documents].index(met[-1]) - 1]
        for gone in (met[-1], following.id):
            await records.delete(home, gone)
            lasting.discard(gone)
        records.clock.advance(seconds=1)
        await records.recorded(home)
        await records.patch(home, documents[0].id, name=f"{len(met)}")
    assert all(later < earlier for earlier, later in pairwise(met))
    assert lasting <= set(met)
