"""How far `find` counts and searches, on every adapter: in one workspace with more documents than that."""

import asyncio
from datetime import timedelta

import pytest

from domain.access import Workspace
from domain.documents import Document
from domain.pages import Page
from domain.search import COUNT_MAX, EVERYTHING, SEARCH_WINDOW, DocumentFilter
from ports.outcomes import Created
from ports.queries import After, DocumentPage
from tests.contracts.records import Records

WAVE = 1000


async def filled(records: Records) -> tuple[Workspace, list[Document]]:
    """A workspace with one document more than is counted and searched, oldest first; two have a star in their names."""
    assert COUNT_MAX == SEARCH_WINDOW
    home = await records.workspace(quota_bytes=10**9)
    documents = []
    for number in range(COUNT_MAX + 1):
        records.clock.advance(milliseconds=1)
        name = "star *" if number in (0, 1) else "none"
        documents.append(
            records.document(home, path=f"documents/{number}", name=name, description=None, folder="/a", tags=("all",))
        )
    for begin in range(0, len(documents), WAVE):
        outcomes = await asyncio.gather(
            *(records.documents.create(item, records.intent(home)) for item in documents[begin : begin + WAVE])
        )
        assert all(isinstance(outcome, Created) for outcome in outcomes)
    return home, documents


@pytest.mark.parametrize("records", ["memory", "postgres"], indirect=True)
async def test_matches_are_counted_and_searched_as_far_as_was_said(records: Records) -> None:
    home, documents = await filled(records)
    oldest, second, third = documents[:3]
    last = Page(COUNT_MAX + 1, 1)

    async def find(wanted: DocumentFilter, place: Page | After = last) -> DocumentPage:
        return await records.documents.find(home.id, wanted, place)

    assert await find(EVERYTHING) == DocumentPage((oldest,), COUNT_MAX + 1, total_is_exact=True, more=False)
    wide = (
        DocumentFilter(folder=oldest.folder),
        DocumentFilter(folder=oldest.folder, recursive=False),
        DocumentFilter(tags=("all",)),
        DocumentFilter(mime_type=oldest.mime_type),
        DocumentFilter(created_after=oldest.created_at),
        DocumentFilter(created_after=oldest.created_at - timedelta(days=1), tags=("all",)),
    )
    for wanted in wide:
        # Every page is there all the same.
        assert await find(wanted) == DocumentPage((oldest,), COUNT_MAX, total_is_exact=False, more=False)
        found = await find(wanted, After(third.id, 1))
        assert found == DocumentPage((second,), COUNT_MAX, total_is_exact=False, more=True)

    # What an index finds is found however old it is; other pieces only where they are new enough.
    assert (await find(DocumentFilter(search="star"), Page(1, 9))).documents == (second, oldest)
    found = await find(DocumentFilter(search="*"), Page(1, 9))
    assert found == DocumentPage((second,), 1, total_is_exact=True, more=False)
    assert (await find(DocumentFilter(search="*"), After(second.id, 9))).documents == ()

    # One less, and all of it is counted and searched.
    await records.delete(home, documents[-1].id)
    for wanted in wide:
        found = await find(wanted, After(second.id, 1))
        assert found == DocumentPage((oldest,), COUNT_MAX, total_is_exact=True, more=False)
    found = await find(DocumentFilter(search="*"), Page(1, 9))
    assert found == DocumentPage((second, oldest), 2, total_is_exact=True, more=False)
