"""The guarantees of the methods of `ObjectStorage` that the sweeper, `dossier doctor` and `dossier serve` call."""

import asyncio
import hashlib
import pkgutil
from datetime import UTC, datetime, timedelta

import pytest

from ports.checks import Grade
from ports.storage import ListedObject
from tests.contracts.stores import CONTENT, NAME, STORED, Store, soon

AN_HOUR = timedelta(hours=1)
PAGE = 1000


async def listed(store: Store, below: str = "") -> list[ListedObject]:
    """Return all objects that a listing shows. Its pages are neither empty nor too long."""
    found: list[ListedObject] = []
    async for page in store.storage.list(store.prefix + below):
        assert 0 < len(page) <= PAGE
        found += page
    return found


async def names(store: Store, below: str = "") -> set[str]:
    """Return the names of the objects below a folder of the workspace. A listing shows each once."""
    found = [one.key.removeprefix(store.prefix) for one in await listed(store, below)]
    assert len(set(found)) == len(found)
    return set(found)


async def test_a_listing_shows_each_object_with_size_etag_and_time(store: Store) -> None:
    # Allow for clocks with a resolution of a second, and for the clock of another machine.
    before = datetime.now(UTC) - timedelta(seconds=2)
    await store.upload()
    await store.upload(b"", "documents/01/empty")
    after = datetime.now(UTC) + timedelta(seconds=2)
    assert await names(store) == {NAME, "documents/01/empty"}
    for one in await listed(store):
        stored = await store.stored(one.key.removeprefix(store.prefix))
        assert (one.size_bytes, one.etag) == (stored.size_bytes, stored.etag)
        assert one.modified_at.tzinfo == UTC
        assert before <= one.modified_at <= after


async def test_a_listing_shows_only_objects_below_its_prefix(store: Store) -> None:
    assert await names(store) == set()
    for name in ("a/1", "a/b/2", "a/b/c/3", "a-b/4", "ab/5", "z"):
        await store.upload(b"x", name)
    assert await names(store, "a/") == {"a/1", "a/b/2", "a/b/c/3"}
    assert await names(store, "a/b/") == {"a/b/2", "a/b/c/3"}
    assert await names(store, "absent/") == set()
    assert await names(store, "a/1/") == set()
    assert await names(store) == {"a/1", "a/b/2", "a/b/c/3", "a-b/4", "ab/5", "z"}


async def test_a_listing_after_a_position_shows_only_greater_object_keys(store: Store) -> None:
    for name in ("a/1", "a/2/x", "a/2/y", "a/3", "b/1", "b/2", "c/9"):
        await store.upload(b"x", name)
    positions = {"a/": "a/2/x", "b/": "b/", "absent/": "absent/1"}
    pages = store.storage.list_after({store.prefix + prefix: store.path(at) for prefix, at in positions.items()})
    found = [[one.key.removeprefix(store.prefix) for one in page] async for page in pages]
    # Each page is of one prefix.
    assert sorted(map(sorted, found)) == [["a/2/y", "a/3"], ["b/1", "b/2"]]


async def test_a_listing_of_several_pages_shows_each_object_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pkgutil.resolve_name(store.page_limit) <= PAGE
    # A thousand uploads to S3 take 15 s.
    monkeypatch.setattr(store.page_limit, 20)
    existing = {f"documents/{number}/a.txt" for number in range(50)}
    await asyncio.gather(*(store.replace(store.path(name), b"x") for name in existing))
    assert await names(store) == existing
    async for page in store.storage.list(store.prefix):
        assert len(page) == 20
        # A listing can be left after its first page.
        break
    seen: list[str] = []
    deleted: set[str] = set()
    async for page in store.storage.list(store.prefix):
        seen += [one.key.removeprefix(store.prefix) for one in page]
        if not deleted:
            # One call deletes more objects than a page has.
            deleted = {*seen, *sorted(existing - set(seen))[::2]}
            await store.storage.delete([store.path(name) for name in deleted])
    assert len(seen) == len(set(seen))
    assert existing - deleted <= set(seen) <= existing
    assert await names(store) == existing - deleted


async def test_only_the_objects_at_the_given_paths_are_deleted(store: Store) -> None:
    existing = {"documents/1/a.txt", "documents/1/b.txt", "d.txt"}
    for name in existing:
        await store.upload(b"x", name)
    for name in ("absent", "documents/1", "d.txt/below", "x" * 256, "other/workspace/deep/down"):
        await store.storage.delete([store.path(name)])
    await store.storage.delete([])
    assert await names(store) == existing
    for _ in range(2):
        await store.storage.delete([store.path("documents/1/a.txt"), store.path("d.txt"), store.path("d.txt")])
        assert await store.storage.stat(store.path("d.txt")) is None
        assert await names(store) == {"documents/1/b.txt"}


async def test_no_download_url_of_a_deleted_object_returns_other_bytes_at_its_path(store: Store) -> None:
    await store.upload()
    terms = await store.download_terms()
    signed = await store.sign_download(terms)
    await store.storage.delete([store.path()])
    assert (await store.get(signed)).status_code >= 400
    assert await store.storage.sign_download(terms, soon()) is None
    other = b"x" * len(CONTENT)
    await store.replace(store.path(), other)
    assert (await store.stored()).sha256 in (None, hashlib.sha256(other).hexdigest())
    assert await store.storage.sign_download(terms, soon()) is None


async def test_deletes_do_not_disturb_uploads_beside_them(store: Store) -> None:
    for round_ in range(10):
        folder = f"documents/{round_}"
        await store.replace(store.path(f"{folder}/old"), b"x")
        new = [f"{folder}/new", f"documents/{round_}b/new"]
        urls = [await store.sign_upload(name) for name in new]
        *_, first, second = await asyncio.gather(
            *(store.storage.delete([store.path(f"{folder}/old")]) for _ in range(2)),
            *(store.put(url, b"kept") for url in urls),
        )
        assert (first, second) == (STORED, STORED)
        for name in new:
            assert (await store.stored(name)).size_bytes == 4
    assert len(await names(store)) == 20


async def test_unfinished_uploads_that_began_before_a_time_are_discarded(store: Store) -> None:
    now = datetime.now(UTC)
    await store.upload()
    for name in ("documents/1/a", "documents/2/b"):
        await store.leave_unfinished(store.path(name))
    assert await store.storage.discard_unfinished(store.prefix, now - AN_HOUR) == 0
    for prefix in (f"workspaces/{store.workspace}X/", store.prefix[:-2] + "/"):
        assert await store.storage.discard_unfinished(prefix, now + AN_HOUR) == 0
    assert await store.count_leftovers() == 2
    assert await store.storage.discard_unfinished(store.prefix, now + AN_HOUR) == 2
    assert await store.count_leftovers() == 0
    assert await store.storage.discard_unfinished(store.prefix, now + AN_HOUR) == 0
    assert await names(store) == {NAME}


async def test_an_unfinished_upload_is_no_object_and_does_not_block_the_next_one(store: Store) -> None:
    await store.leave_unfinished(store.path())
    assert await store.storage.stat(store.path()) is None
    assert await names(store) == set()
    await store.upload()
    assert await names(store) == {NAME}


async def test_a_mark_is_replaced_only_on_request_and_is_no_object(store: Store) -> None:
    assert await store.storage.read_mark() is None
    # The first mark may be written with `replace` too.
    for mark in ("01ABC generation 1", "01ABC generation 2"):
        assert await store.storage.write_mark(mark, replace=True)
        assert not await store.storage.write_mark("other", replace=False)
        assert await store.storage.read_mark() == mark
    assert await names(store) == set()
    assert await store.count_leftovers() == 0


async def test_of_many_first_marks_at_once_one_is_written(store: Store) -> None:
    marks = [f"mark {number}" for number in range(8)]
    written = await asyncio.gather(*(store.storage.write_mark(mark, replace=False) for mark in marks))
    assert written.count(True) == 1
    assert await store.storage.read_mark() == marks[written.index(True)]


async def test_probing_preparing_and_checking_a_working_store_changes_nothing(store: Store) -> None:
    await store.storage.probe()
    assert await listed(store) == []
    await store.storage.write_mark("mine", replace=False)
    await store.upload()
    stored = await store.stored()
    await store.storage.probe()
    await store.storage.prepare()
    results = await store.storage.run_checks()
    assert results
    for result in results:
        assert result.grade is not Grade.FAILED, result
        assert result.check
        assert result.found
        assert "\n" not in result.check + result.found
    assert await store.count_leftovers() == 0
    assert await names(store) == {NAME}
    assert await store.stored() == stored
    assert await store.storage.read_mark() == "mine"
