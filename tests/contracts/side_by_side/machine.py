"""The two adapters under test, and the few values from which the rules choose, so that the rules often choose the
same."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from adapters.postgres.database import Database
from domain.access import Workspace
from domain.documents import Document
from domain.entity_links import EntityLink
from domain.preconditions import UNCONDITIONAL
from ports.intents import Intent
from ports.outcomes import Created
from tests.clock import StillClock
from tests.contracts.changes import Change, change
from tests.contracts.records import Records
from tests.contracts.repositories import memory_records, postgres_records

T = TypeVar("T")

UUIDS = [f"7c9e6679-7425-40de-944b-e07fc1f90a{number:02}" for number in range(4)]
KEYS = st.none() | st.sampled_from(UUIDS[:2])
HOMES = st.integers(0, 1)
FOLDERS = st.sampled_from([None, "/a", "/a/b", "/a/b/c", "/ab", "/A", "/ä"])
TAGS = st.lists(st.sampled_from(["x", "X", "ü"]), unique=True).map(tuple)
NAMES = st.sampled_from(["a.pdf", "Straße", "b_%", "中文文档"])
DESCRIPTIONS = st.sampled_from([None, "", "PDF\nzwei", "ü文"])
DIGESTS = st.sampled_from(["ab" * 32, "cd" * 32])
MIME_TYPES = st.sampled_from(["application/pdf", "text/plain"])
ENTITIES = st.tuples(st.sampled_from(["contact", "deal"]), st.sampled_from(["1", "2"]))
ROLES = st.sampled_from([None, "buyer", "seller"])
RECENT = st.integers(0, 9)
"""The choice of an earlier document, link or write, counted back from the last."""


class Sides(RuleBasedStateMachine):
    """Two workspaces with some linked documents and an empty folder, on both adapters, under one clock."""

    runner: asyncio.Runner
    database: Database
    met: ClassVar[set[type]] = set()
    """Every type of outcome that occurred."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = StillClock()
        self.memory = memory_records(self.clock)
        self.postgres = postgres_records(self.database, self.clock)
        self.homes = [self.run(self.memory.workspace(quota_bytes=100)) for _ in range(2)]
        for home in self.homes:
            self.run(self.postgres.workspaces.add(home))
        self.sent: list[tuple[Document | Change, Intent]] = []
        self.documents: list[Document] = []
        """Every document that was created, deleted or not."""
        self.links: list[tuple[Document, EntityLink]] = []
        for home in self.homes:
            for path, folder in (("documents/a", "/ab"), ("documents/b", "/a/b")):
                document = self.memory.document(home, path=path, size_bytes=5, folder=folder)
                link = self.memory.link(document.id)
                self.links.append((document, link))
                self.send(document, self.memory.intent(home))
                self.send(change("add_link", link=link), self.memory.intent(home, operation="add_link"))
            # This document is deleted, so that its folder is empty.
            gone = self.memory.document(home, path="documents/gone", size_bytes=5, folder="/b/c")
            self.send(gone, self.memory.intent(home))
            delete = change("delete", document=gone.id, precondition=UNCONDITIONAL, at=self.clock())
            self.send(delete, self.memory.intent(home, operation="delete"))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def same(self, call: Callable[[Records], Awaitable[T]]) -> T:
        """Call both sides, require equal results, and return the result."""

        async def both() -> tuple[T, T]:
            return await call(self.memory), await call(self.postgres)

        expected, found = self.run(both())
        assert found == expected
        return found

    def send(self, write: Document | Change, intent: Intent) -> None:
        """Send a create or a change to both sides."""

        async def execute(records: Records) -> object:
            if isinstance(write, Document):
                return await records.documents.create(write, intent)
            return await write.apply(records.documents, intent)

        self.remember(write, intent, self.same(execute))

    def remember(self, write: Document | Change, intent: Intent, outcome: object) -> None:
        """Remember a write and its outcome, for the rules that refer to earlier ones."""
        self.sent.append((write, intent))
        self.met.add(type(outcome))
        if isinstance(outcome, Created):
            self.documents.append(outcome.document)

    def document(self, recent: int) -> Document:
        return self.documents[-1 - recent % len(self.documents)]

    def home_of(self, document: Document, *, is_foreign: bool) -> Workspace:
        """Return the document's workspace, or the other one."""
        is_first = document.workspace_id == self.homes[0].id
        return self.homes[is_first == is_foreign]
