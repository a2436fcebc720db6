"""What `DocumentRepository` promises, on every adapter."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.idempotency import LIFETIME
from domain.ids import DocumentId
from ports.outcomes import Created, IdempotencyKeyReused, OverQuota, PathTaken, Replayed
from ports.queries import DocumentWithLinks, Usage
from tests.contracts.records import Records


def a_key() -> str:
    return str(uuid4())


async def test_a_created_document_is_read_back_as_it_was(records: Records) -> None:
    home = await records.workspace()
    document = records.document(home, folder="/clients/acme/ndas")
    assert await records.documents.create(document, records.intent(home)) == Created(document)
    assert await records.documents.get(home.id, document.id) == DocumentWithLinks(document, ())


async def test_microseconds_are_kept(records: Records) -> None:
    home = await records.workspace()
    records.clock.advance(microseconds=123456)
    document = records.document(home)
    await records.documents.create(document, records.intent(home))
    found = await records.now(home, document)
    assert found is not None
    assert found.created_at.microsecond == 123456


async def test_an_absent_document_is_none(records: Records) -> None:
    home = await records.workspace()
    assert await records.documents.get(home.id, records.document(home).id) is None


async def test_usage_is_the_sum_of_what_is_recorded(records: Records) -> None:
    home = await records.workspace(quota_bytes=1000)
    for number, size in enumerate((0, 10, 32)):
        document = records.document(home, path=f"documents/{number}", size_bytes=size)
        await records.documents.create(document, records.intent(home))
    assert await records.documents.usage(home.id) == Usage(used_bytes=42, quota_bytes=1000, documents=3)


async def test_the_same_intent_is_replayed_with_the_document_as_it_was(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    first = records.document(home)
    await records.documents.create(first, records.intent(home, key))
    again = replace(records.document(home), id=DocumentId("doc_" + records.new_id(records.clock())))
    assert await records.documents.create(again, records.intent(home, key)) == Replayed(first)
    assert await records.documents.receipt(records.intent(home, key)) == Replayed(first)
    assert (await records.documents.usage(home.id)).documents == 1


async def test_another_intent_with_the_key_is_refused_and_writes_nothing(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    await records.documents.create(records.document(home), records.intent(home, key))
    other = records.document(home, path="documents/other.pdf")
    assert await records.documents.create(other, records.intent(home, key, asks="that")) == IdempotencyKeyReused()
    assert await records.documents.receipt(records.intent(home, key, asks="that")) == IdempotencyKeyReused()
    assert await records.documents.get(home.id, other.id) is None


async def test_another_operation_with_the_key_is_refused(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    await records.documents.create(records.document(home), records.intent(home, key))
    other = replace(records.intent(home, key), operation="something else")
    assert await records.documents.receipt(other) == IdempotencyKeyReused()


async def test_a_receipt_is_gone_after_24_hours_and_not_before(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    await records.documents.create(records.document(home), records.intent(home, key))
    records.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    late = records.document(home, path="documents/late.pdf")
    assert isinstance(await records.documents.create(late, records.intent(home, key)), Replayed)
    records.clock.advance(seconds=1)
    assert await records.documents.receipt(records.intent(home, key)) is None
    later = records.document(home, path="documents/late.pdf")
    assert await records.documents.create(later, records.intent(home, key)) == Created(later)


async def test_no_key_leaves_no_receipt(records: Records) -> None:
    home = await records.workspace()
    await records.documents.create(records.document(home), records.intent(home))
    assert await records.documents.receipt(records.intent(home)) is None


async def test_a_taken_path_names_its_document(records: Records) -> None:
    home = await records.workspace()
    first = records.document(home)
    await records.documents.create(first, records.intent(home))
    assert await records.documents.create(records.document(home), records.intent(home)) == PathTaken(first.id)


async def test_the_same_document_again_is_created_again_and_counted_once(records: Records) -> None:
    home = await records.workspace()
    for key in (None, a_key()):
        document = records.document(home, path=f"documents/{key}")
        intent = records.intent(home, key)
        assert await records.documents.create(document, intent) == Created(document)
        assert await records.documents.create(document, intent) == Created(document)
    assert (await records.documents.usage(home.id)).documents == 2


@pytest.mark.parametrize("kind", ["path taken", "over quota"])
async def test_a_refusal_leaves_the_key_free_and_writes_nothing(records: Records, kind: str) -> None:
    home, key = await records.workspace(quota_bytes=100), a_key()
    await records.documents.create(records.document(home, path="documents/first"), records.intent(home))
    refused = (
        records.document(home, path="documents/first", folder="/new")
        if kind == "path taken"
        else records.document(home, size_bytes=101, folder="/new")
    )
    assert isinstance(await records.documents.create(refused, records.intent(home, key)), PathTaken | OverQuota)
    assert await records.documents.receipt(records.intent(home, key)) is None
    assert await records.documents.usage(home.id) == Usage(10, 100, 1)
    good = records.document(home, path="documents/good")
    assert await records.documents.create(good, records.intent(home, key)) == Created(good)


async def test_the_quota_is_exact_to_the_byte(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    await records.documents.create(records.document(home, path="documents/90", size_bytes=90), records.intent(home))
    over = records.document(home, path="documents/11", size_bytes=11)
    assert await records.documents.create(over, records.intent(home)) == OverQuota(100, 90, 11)
    fits = records.document(home, path="documents/10", size_bytes=10)
    assert await records.documents.create(fits, records.intent(home)) == Created(fits)


async def test_the_largest_size_is_over_quota_not_an_overflow(records: Records) -> None:
    home = await records.workspace(quota_bytes=100)
    await records.documents.create(records.document(home), records.intent(home))
    huge = records.document(home, path="documents/huge", size_bytes=2**63 - 1)
    assert await records.documents.create(huge, records.intent(home)) == OverQuota(100, 10, 2**63 - 1)


async def test_an_empty_file_fits_a_full_workspace(records: Records) -> None:
    home = await records.workspace(quota_bytes=0)
    document = records.document(home, size_bytes=0)
    assert await records.documents.create(document, records.intent(home)) == Created(document)


async def test_the_longest_folder_is_recorded(records: Records) -> None:
    home = await records.workspace()
    folder = "".join(f"/{level:02}" + "\N{GRINNING FACE}" * 253 for level in range(20))
    document = records.document(home, folder=folder)
    await records.documents.create(document, records.intent(home))
    found = await records.now(home, document)
    assert found is not None
    assert found.folder == folder


async def test_of_many_twins_at_once_one_creates_and_all_agree(records: Records) -> None:
    home, key = await records.workspace(), a_key()
    documents = [records.document(home) for _ in range(200)]
    outcomes = await asyncio.gather(
        *(records.documents.create(document, records.intent(home, key)) for document in documents)
    )
    created = [outcome.document for outcome in outcomes if isinstance(outcome, Created)]
    assert len(created) == 1
    assert outcomes.count(Replayed(created[0])) == 199
    assert (await records.documents.usage(home.id)).documents == 1


async def test_of_many_at_one_path_at_once_one_creates(records: Records) -> None:
    home = await records.workspace()
    documents = [records.document(home) for _ in range(200)]
    outcomes = await asyncio.gather(*(records.documents.create(item, records.intent(home)) for item in documents))
    created = [outcome.document for outcome in outcomes if isinstance(outcome, Created)]
    assert len(created) == 1
    assert outcomes.count(PathTaken(created[0].id)) == 199


async def test_of_many_at_once_exactly_those_that_fit_are_created(records: Records) -> None:
    home = await records.workspace(quota_bytes=70)
    documents = [records.document(home, path=f"documents/{n}", size_bytes=10) for n in range(200)]
    outcomes = await asyncio.gather(*(records.documents.create(item, records.intent(home)) for item in documents))
    assert sum(isinstance(outcome, Created) for outcome in outcomes) == 7
    assert outcomes.count(OverQuota(70, 70, 10)) == 193
    assert await records.documents.usage(home.id) == Usage(70, 70, 7)


async def test_many_creators_of_one_deep_folder_at_once_all_succeed(records: Records) -> None:
    home = await records.workspace(quota_bytes=2000)
    folder = "/a" * 20
    documents = [records.document(home, path=f"documents/{n}", folder=folder) for n in range(200)]
    outcomes = await asyncio.gather(*(records.documents.create(item, records.intent(home)) for item in documents))
    assert outcomes == [Created(document) for document in documents]
