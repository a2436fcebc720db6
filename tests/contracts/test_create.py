"""The guarantees of `DocumentRepository.create`, `receipt` and `usage`."""

import pytest

from domain.access import Workspace
from domain.documents import Document
from ports.outcomes import Created, CreateOutcome, OverQuota, PathTaken, Replayed
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.races import at_once
from tests.contracts.records import Records, new_key

FACE = "\N{GRINNING FACE}"


async def test_a_created_document_is_read_back_as_it_was_to_the_microsecond(records: Records) -> None:
    home = await records.workspace()
    records.clock.advance(microseconds=123456)
    for document in (
        records.document(home, path="documents/1", folder="/clients/acme/ndas"),
        records.document(home, path="documents/2", description=None, tags=()),
        records.document(home, path="documents/3", folder="".join(f"/{level:02}{FACE * 253}" for level in range(20))),
    ):
        assert await records.create(home, document) == Created(document)
        assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, ())
        assert await records.documents.receipt(records.intent(home)) is None


@pytest.mark.parametrize("key", [None, "7c9e6679-7425-40de-944b-e07fc1f90ae7"])
async def test_calling_create_again_with_the_same_document_is_safe(shared: Records, key: str | None) -> None:
    home = await shared.workspace()
    document, intent = shared.document(home), shared.intent(home, key)
    for _ in range(3):
        assert await shared.documents.create(document, intent) == Created(document)
    assert await shared.documents.usage(home.id) == Usage(10, 1000, 1)


@pytest.mark.parametrize("size_bytes", [10, 101], ids=["path taken", "over quota"])
async def test_a_refusal_writes_nothing_and_leaves_its_idempotency_key_free(records: Records, size_bytes: int) -> None:
    home, key = await records.workspace(quota_bytes=100), new_key()
    first = await records.recorded(home, path="documents/first")
    path = "documents/first" if size_bytes == 10 else "documents/second"
    refused = records.document(home, path=path, size_bytes=size_bytes, folder="/new")
    wanted = PathTaken(first.id) if size_bytes == 10 else OverQuota(100, 10, 101)
    assert await records.create(home, refused, key) == wanted
    assert await records.documents.receipt(records.intent(home, key)) is None
    assert await records.documents.usage(home.id) == Usage(10, 100, 1)
    assert await records.folders(home) == {}
    good = records.document(home, path="documents/good")
    assert await records.create(home, good, key) == Created(good)


async def create_at_once(
    records: Records, home: Workspace, documents: list[Document], key: str | None = None
) -> tuple[list[Created], list[CreateOutcome]]:
    """Create all documents at once; return the outcomes that are `Created`, and the others."""
    outcomes = await at_once(records.create(home, document, key) for document in documents)
    created = [outcome for outcome in outcomes if isinstance(outcome, Created)]
    return created, [outcome for outcome in outcomes if not isinstance(outcome, Created)]


@pytest.mark.parametrize("with_key", [False, True], ids=["without a key", "with one key"])
async def test_of_many_creates_of_one_path_at_once_one_creates(shared: Records, *, with_key: bool) -> None:
    home, key = await shared.workspace(), new_key() if with_key else None
    (created,), others = await create_at_once(shared, home, [shared.document(home) for _ in range(200)], key)
    assert others == [Replayed(created.document) if with_key else PathTaken(created.document.id)] * 199
    assert (await shared.documents.usage(home.id)).documents == 1


async def test_of_many_creates_at_once_exactly_those_that_fit_are_created(shared: Records) -> None:
    home = await shared.workspace(quota_bytes=70)
    documents = [shared.document(home, path=f"documents/{number}") for number in range(200)]
    created, others = await create_at_once(shared, home, documents)
    assert len(created) == 7
    assert others == [OverQuota(70, 70, 10)] * 193
    assert await shared.documents.usage(home.id) == Usage(70, 70, 7)


async def test_many_creates_in_one_new_deep_folder_at_once_make_one_folder_per_level(shared: Records) -> None:
    home = await shared.workspace(quota_bytes=2000)
    documents = [shared.document(home, path=f"documents/{number}", folder="/a" * 20) for number in range(200)]
    created, _ = await create_at_once(shared, home, documents)
    assert [outcome.document for outcome in created] == documents
    assert await shared.folders(home) == {"/a" * level: 200 for level in range(1, 21)}
