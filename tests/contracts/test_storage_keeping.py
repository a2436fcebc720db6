"""What `ObjectStorage` promises to those who keep it: the sweeper, `dossier doctor` and `serve`; on every adapter."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ports.checks import Grade
from ports.storage import ListedObject, ObjectStorage
from tests.contracts.stores import NAME, STORED, Store
from tests.contracts.test_storage import CONTENT, later, put

AN_HOUR = timedelta(hours=1)
PAGE = 1000


async def listed(storage: ObjectStorage, prefix: str) -> list[ListedObject]:
    """All that a listing shows, whose pages are neither empty nor too long."""
    pages: AsyncIterator[Sequence[ListedObject]] = storage.list(prefix)
    found: list[ListedObject] = []
    async for page in pages:
        assert 0 < len(page) <= PAGE
        found += page
    return found


async def keys(store: Store, below: str = "") -> set[str]:
    """The names of the objects below a folder of the workspace; none comes twice."""
    found = [one.key.removeprefix(store.prefix) for one in await listed(store.storage, store.prefix + below)]
    assert len(set(found)) == len(found)
    return set(found)


async def test_a_listing_shows_each_object_with_size_etag_and_time(store: Store) -> None:
    # A second for clocks that know nothing smaller, and for those of another machine.
    before = datetime.now(UTC) - timedelta(seconds=2)
    await put(store)
    await put(store, b"", "documents/01/empty")
    after = datetime.now(UTC) + timedelta(seconds=2)
    found = {one.key: one for one in await listed(store.storage, store.prefix)}
    assert found.keys() == {store.path(), store.path("documents/01/empty")}
    for path in (store.path(), store.path("documents/01/empty")):
        stored = await store.storage.stat(path)
        assert stored is not None
        assert (found[path].size_bytes, found[path].etag) == (stored.size_bytes, stored.etag)
        assert found[path].modified_at.tzinfo == UTC
        assert before <= found[path].modified_at <= after


async def test_a_listing_shows_nothing_but_what_lies_below_its_prefix(store: Store) -> None:
    for name in ("a/1", "a/b/2", "a/b/c/3", "a-b/4", "ab/5", "z"):
        await put(store, b"x", name)
    assert await keys(store, "a/") == {"a/1", "a/b/2", "a/b/c/3"}
    assert await keys(store, "a/b/") == {"a/b/2", "a/b/c/3"}
    assert await keys(store) == {"a/1", "a/b/2", "a/b/c/3", "a-b/4", "ab/5", "z"}


async def test_where_nothing_lies_a_listing_is_empty(store: Store) -> None:
    assert await listed(store.storage, store.prefix) == []
    await put(store, b"x", "a/1")
    assert await listed(store.storage, store.prefix + "b/") == []
    # An object is no folder.
    assert await listed(store.storage, store.prefix + "a/1/") == []


async def test_a_listing_that_is_left_early_is_closed(store: Store) -> None:
    await put(store)
    async for page in store.storage.list(store.prefix):
        assert len(page) == 1
        break
    assert await keys(store) == {NAME}


async def put_many(store: Store, number: int) -> set[str]:
    """The names of so many objects, each in a folder of its own."""
    names = [f"documents/{one}/a.txt" for one in range(number)]
    for start in range(0, number, 50):
        await asyncio.gather(*(store.swap(store.path(name), b"x") for name in names[start : start + 50]))
    return set(names)


async def test_more_objects_than_a_page_holds_are_all_listed_once_and_deleted_in_one_call(store: Store) -> None:
    names = await put_many(store, PAGE + 1)
    assert await keys(store) == names
    await store.storage.delete([store.path(name) for name in names])
    assert await keys(store) == set()


async def test_a_listing_shows_all_that_is_not_deleted_meanwhile_once(store: Store) -> None:
    names = await put_many(store, PAGE + 20)
    seen: list[str] = []
    deleted: set[str] = set()
    async for page in store.storage.list(store.prefix):
        seen += [one.key.removeprefix(store.prefix) for one in page]
        if not deleted:
            to_come = sorted(names - set(seen))
            deleted = {*seen, *to_come[::2]}
            await store.storage.delete([store.path(name) for name in deleted])
    assert len(seen) == len(set(seen))
    assert names - deleted <= set(seen) <= names
    assert await keys(store) == names - deleted


async def test_what_is_deleted_is_gone_and_nothing_else_is(store: Store) -> None:
    for name in ("documents/1/a.txt", "documents/1/b.txt", "documents/2/c.txt", "d.txt"):
        await put(store, b"x", name)
    await store.storage.delete([store.path("documents/1/a.txt"), store.path("documents/2/c.txt")])
    assert await store.storage.stat(store.path("documents/1/a.txt")) is None
    assert await keys(store) == {"documents/1/b.txt", "d.txt"}


async def test_a_deleted_object_cannot_be_downloaded_through_a_link_from_before(store: Store) -> None:
    await put(store)
    signed = await store.storage.sign_download(await store.download(), later())
    assert signed is not None
    await store.storage.delete([store.path()])
    assert (await store.get(signed)).status_code >= 400


async def test_to_delete_again_changes_nothing(store: Store) -> None:
    await put(store)
    for _ in range(2):
        await store.storage.delete([store.path(), store.path()])
    assert await keys(store) == set()


@pytest.mark.parametrize(
    "name",
    ["absent", "documents/01", f"{NAME}/below", "x" * 256, "other/workspace/deep/down"],
    ids=["absent", "a folder", "below a file", "a long name", "in no folder"],
)
async def test_where_nothing_lies_nothing_is_deleted(store: Store, name: str) -> None:
    await put(store)
    await put(store, b"x", "documents/01/a.txt")
    await store.storage.delete([store.path(name)])
    await store.storage.delete([])
    assert await keys(store) == {NAME, "documents/01/a.txt"}


async def test_other_bytes_at_a_deleted_path_are_known_as_others(store: Store) -> None:
    await put(store)
    terms = await store.download()
    await store.storage.delete([store.path()])
    assert await store.storage.sign_download(terms, later()) is None
    await store.swap(store.path(), b"x" * len(CONTENT))
    found = await store.storage.stat(store.path())
    assert found is not None
    assert found.sha256 in (None, hashlib.sha256(b"x" * len(CONTENT)).hexdigest())
    assert await store.storage.sign_download(terms, later()) is None


async def test_deletes_disturb_no_upload_beside_them(store: Store) -> None:
    for round_ in range(20):
        folder = f"documents/{round_}"
        await put(store, b"x", f"{folder}/old")
        beside = [store.upload(f"{folder}/new"), store.upload(f"documents/{round_}b/new")]
        links = [await store.storage.sign_upload(terms, later()) for terms in beside]
        *_, first, second = await asyncio.gather(
            *(store.storage.delete([store.path(f"{folder}/old")]) for _ in range(2)),
            *(store.put(link, b"kept") for link in links),
        )
        assert (first, second) == (STORED, STORED)
        for terms in beside:
            found = await store.storage.stat(terms.path)
            assert found is not None
            assert found.size_bytes == 4
    assert len(await keys(store)) == 40


async def test_unfinished_uploads_of_before_are_thrown_away(store: Store) -> None:
    now = datetime.now(UTC)
    await put(store)
    for name in ("documents/1/a", "documents/2/b"):
        await store.leave_unfinished(store.path(name))
    assert await store.litter() == 2
    assert await store.storage.discard_unfinished(store.prefix, now - AN_HOUR) == 0
    assert await store.storage.discard_unfinished(f"workspaces/{store.workspace}X/", now + AN_HOUR) == 0
    assert await store.storage.discard_unfinished(store.prefix[:-2] + "/", now + AN_HOUR) == 0
    assert await store.litter() == 2
    assert await store.storage.discard_unfinished(store.prefix, now + AN_HOUR) == 2
    assert await store.litter() == 0
    assert await store.storage.discard_unfinished(store.prefix, now + AN_HOUR) == 0
    assert await keys(store) == {NAME}


async def test_an_unfinished_upload_is_no_object_and_is_in_nobodys_way(store: Store) -> None:
    await store.leave_unfinished(store.path())
    assert await store.storage.stat(store.path()) is None
    assert await keys(store) == set()
    await put(store)
    assert await keys(store) == {NAME}


async def test_a_mark_is_there_once_it_is_left(store: Store) -> None:
    assert await store.storage.read_mark() is None
    assert await store.storage.write_mark("01ABC turn 1", replace=False)
    assert await store.storage.read_mark() == "01ABC turn 1"
    assert await keys(store) == set()
    assert await store.litter() == 0


async def test_a_mark_is_replaced_only_when_that_is_meant(store: Store) -> None:
    assert await store.storage.write_mark("first", replace=False)
    assert not await store.storage.write_mark("second", replace=False)
    assert await store.storage.read_mark() == "first"
    assert await store.storage.write_mark("third", replace=True)
    assert await store.storage.read_mark() == "third"
    assert not await store.storage.write_mark("fourth", replace=False)
    assert await store.litter() == 0


async def test_a_mark_that_is_to_replace_another_may_be_the_first(store: Store) -> None:
    assert await store.storage.write_mark("first", replace=True)
    assert await store.storage.read_mark() == "first"


async def test_of_many_that_leave_a_mark_at_once_one_leaves_the_first(store: Store) -> None:
    marks = [f"mark {number}" for number in range(8)]
    left = await asyncio.gather(*(store.storage.write_mark(mark, replace=False) for mark in marks))
    assert left.count(True) == 1
    assert await store.storage.read_mark() == marks[left.index(True)]


async def test_a_working_store_says_so_and_leaves_nothing(store: Store) -> None:
    await store.storage.probe()
    assert await store.litter() == 0
    assert await listed(store.storage, store.prefix) == []


async def test_a_working_store_is_examined_and_nothing_is_left_of_that(store: Store) -> None:
    await store.storage.write_mark("mine", replace=False)
    await put(store)
    findings = await store.storage.run_checks()
    assert findings
    for finding in findings:
        assert finding.grade is not Grade.FAILED, finding
        assert finding.check
        assert finding.found
        assert "\n" not in finding.check + finding.found
    assert await store.litter() == 0
    assert await keys(store) == {NAME}
    assert await store.storage.read_mark() == "mine"


async def test_to_prepare_a_store_again_changes_nothing(store: Store) -> None:
    await store.storage.write_mark("mine", replace=False)
    await put(store)
    stored = await store.storage.stat(store.path())
    await store.storage.prepare()
    assert await store.storage.stat(store.path()) == stored
    assert await store.storage.read_mark() == "mine"
    assert await store.litter() == 0
