"""The lists of documents, folders and tags: how a query becomes a filter and a page.

tests/contracts/test_search.py and test_lists.py prove which rows the repositories return.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import Invalid
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import EVERYTHING, DocumentFilter
from domain.use_cases.find_documents import FindDocuments
from ports.queries import After, DocumentPage
from tests.domain.samples import MALFORMED_IDS
from tests.domain.world import NEVER_CALLED, Instead

DAY = datetime(2026, 4, 17, tzinfo=UTC)


async def asked(caller: Caller, query: dict[str, object]) -> tuple[DocumentFilter, Page | After]:
    """Return the filter and the position in the list that the use case passes to the repository for a query."""
    calls = []

    async def find(_: object, wanted: DocumentFilter, place: Page | After) -> DocumentPage:
        calls.append((wanted, place))
        return DocumentPage((), 0, total_is_exact=True, more=False)

    documents: Any = Instead(NEVER_CALLED, find=find)
    await FindDocuments(documents=documents)(caller, query)
    (call,) = calls
    return call


NO_FILTER: tuple[dict[str, object], ...] = ({}, {"folder": "/"}, {"recursive": "true"}, {"search": ""}, {"tag": []})
QUERIES: list[tuple[dict[str, object], DocumentFilter]] = [
    *((query, EVERYTHING) for query in NO_FILTER),
    ({"folder": "/a/", "recursive": "0"}, DocumentFilter(folder=FolderPath("/a"), recursive=False)),
    ({"folder": "/", "recursive": "false"}, DocumentFilter(recursive=False)),
    ({"tag": ["t", " u "]}, DocumentFilter(tags=("t", "u"))),
    ({"search": 'NEEDLE "a  b"'}, DocumentFilter(words=("needle", "a b"))),
    ({"created_after": "2026-04-17"}, DocumentFilter(created_after=DAY)),
    ({"created_before": "2026-04-17T02:00:00 02:00"}, DocumentFilter(created_before=DAY)),
    ({"sha256": "AB" * 32}, DocumentFilter(sha256="ab" * 32)),
    # A client that does not encode the plus of a media type sends a space.
    *(
        (dict[str, object](mime_type=sent), DocumentFilter(mime_type=kept))
        for sent, kept in (
            *(("APPLICATION/Pdf", "application/pdf"), (" text/plain ", "text/plain")),
            *(("image/svg xml", "image/svg+xml"), ("a/b c;D=E", "a/b+c; d=E")),
        )
    ),
]


@pytest.mark.parametrize(("query", "wanted"), QUERIES, ids=repr)
async def test_a_query_asks_for_the_documents_that_pass_all_its_filters(
    caller: Caller, query: dict[str, object], wanted: DocumentFilter
) -> None:
    assert await asked(caller, query) == (wanted, Page(1, 25))
    both = {"folder": "/b", **query, "page": "2", "per_page": "7"}
    folder = wanted.folder if "folder" in query else FolderPath("/b")
    assert await asked(caller, both) == (replace(wanted, folder=folder), Page(2, 7))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("search", text) for text in ("x" * 256, "a\nb", "\0", "\ud800")],
        *[("cursor", id_.removeprefix("doc_")) for id_ in MALFORMED_IDS.values() if id_.startswith("doc_")],
        *[("recursive", "false"), ("recursive", "0")],
        *[("page", "2"), ("page", "1000")],
    ],
)
async def test_an_invalid_or_contradictory_query_is_refused_by_name(caller: Caller, name: str, value: str) -> None:
    query = {name: value, "sort": "name"} | ({"cursor": "0" * 26} if name == "page" else {})
    with pytest.raises(Invalid) as refused:
        await FindDocuments(documents=NEVER_CALLED)(caller, query)
    assert set(refused.value.fields) == {name, "sort"}
