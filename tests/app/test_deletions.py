"""Objects of deleted documents are deleted in the background, as long as the store permits it."""

import asyncio
from typing import Any

import pytest

from adapters.in_process.deletions import QueuedDeletions
from domain.paths import StoragePath
from ports.system import Unavailable

A, B, C = StoragePath("a"), StoragePath("b"), StoragePath("c")


class Store:
    """A store of which only `delete` is called. It raises each of `errors` once, and then deletes."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]
        self.deleted: list[StoragePath] = []
        self.called = asyncio.Event()

    async def delete(self, paths: list[StoragePath]) -> list[StoragePath]:
        self.called.set()
        if self.errors:
            raise self.errors.pop(0)
        self.deleted += paths
        return []


async def test_noted_objects_are_deleted_at_once_even_after_earlier_errors(caplog: pytest.LogCaptureFixture) -> None:
    store: Any = Store(Unavailable("away"), Unavailable("away"), ValueError("a bug"))
    deletions = QueuedDeletions(store)
    async with deletions.performed():
        for path in (A, A, A, B):
            store.called.clear()
            deletions.note(path)
            await store.called.wait()
        deletions.note(C)
        async with asyncio.timeout(5):
            while store.deleted != [B, C]:  # noqa: ASYNC110  no event reports that all is deleted
                await asyncio.sleep(0)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


async def test_a_note_beyond_the_limit_is_left_to_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.in_process.deletions.WAITING_MAX", 1)
    store: Any = Store()
    deletions = QueuedDeletions(store)
    deletions.note(A)
    deletions.note(B)
    async with deletions.performed():
        await store.called.wait()
        deletions.note(C)
        async with asyncio.timeout(5):
            while C not in store.deleted:  # noqa: ASYNC110  no event reports that all is deleted
                await asyncio.sleep(0)
    assert store.deleted == [A, C]
