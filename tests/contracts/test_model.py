"""Memory and Postgres side by side: whatever the sequence, each step has the same outcome on both (Hypothesis)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from adapters.postgres.database import Database, open_database
from domain.documents import Document
from ports.documents import Outcome
from ports.intents import Intent
from tests.clock import StillClock
from tests.contracts.records import memory_records, postgres_records

T = TypeVar("T")

# Few of each, so that they meet.
PATHS = st.sampled_from([f"documents/{letter}" for letter in "abcdef"])
KEYS = st.none() | st.sampled_from([f"7c9e6679-7425-40de-944b-e07fc1f90a{number:02}" for number in range(4)])
FOLDERS = st.none() | st.sampled_from(["/a", "/a/b", "/a/b/c", "/A", "/ä"])
SIZES = st.sampled_from([0, 1, 20, 50, 101, 2**63 - 1])
ASKS = st.sampled_from(["this", "that"])
HOMES = st.integers(0, 1)


class SideBySide(RuleBasedStateMachine):
    """Two workspaces, on both adapters, under one clock."""

    runner: asyncio.Runner
    database: Database
    met: ClassVar[set[type]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.clock = StillClock()
        self.memory = memory_records(self.clock)
        self.postgres = postgres_records(self.database, self.clock)
        self.homes = [self.run(self.memory.workspace(quota_bytes=100)) for _ in range(2)]
        for home in self.homes:
            self.run(self.postgres.workspaces.add(home))
        self.sent: list[tuple[Document, Intent]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def both(self, documents: list[Document], intents: list[Intent]) -> None:
        """Send all at once to Postgres, one after the other to memory."""

        async def together() -> list[object]:
            creates = map(self.postgres.documents.create, documents, intents)
            return list(await asyncio.gather(*creates))

        async def in_turn() -> list[object]:
            return [await self.memory.documents.create(*create) for create in zip(documents, intents, strict=True)]

        self.sent += zip(documents, intents, strict=True)
        outcomes = self.run(together())
        assert outcomes == self.run(in_turn())
        self.met.update(map(type, outcomes))

    @rule(home=HOMES, path=PATHS, size=SIZES, folder=FOLDERS, key=KEYS, asks=ASKS)
    def create(self, home: int, path: str, size: int, folder: str | None, key: str | None, asks: str) -> None:
        where = self.homes[home]
        document = self.memory.document(where, path=path, size_bytes=size, folder=folder)
        self.both([document], [self.memory.intent(where, key, asks)])

    @rule(home=HOMES, creates=st.dictionaries(PATHS, st.tuples(SIZES, FOLDERS), min_size=2), keyed=st.booleans())
    def create_many_at_once(self, home: int, creates: dict[str, tuple[int, str | None]], *, keyed: bool) -> None:
        # Of different paths and keys: of equal ones, each order of several at the same time would be right.
        where = self.homes[home]
        documents = [
            self.memory.document(where, path=path, size_bytes=size, folder=folder)
            for path, (size, folder) in creates.items()
        ]
        keys = [f"7c9e6679-7425-40de-944b-e07fc1f90a{number:02}" if keyed else None for number in range(len(creates))]
        self.both(documents, [self.memory.intent(where, key) for key in keys])

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        document, intent = data.draw(st.sampled_from(self.sent))
        self.both([document], [intent])

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), home=HOMES)
    def look(self, data: st.DataObject, home: int) -> None:
        document, intent = data.draw(st.sampled_from(self.sent))
        stranger = self.homes[home].id
        for workspace in (document.workspace_id, stranger):
            found = self.run(self.postgres.documents.get(workspace, document.id))
            assert found == self.run(self.memory.documents.get(workspace, document.id))
        assert self.run(self.postgres.documents.receipt(intent)) == self.run(self.memory.documents.receipt(intent))

    @rule(seconds=st.sampled_from([0.001, 1, 3600, 86_399, 86_400]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    @rule(home=HOMES, quota_bytes=st.sampled_from([0, 50, 100, 200]))
    def change_quota(self, home: int, quota_bytes: int) -> None:
        for records in (self.memory, self.postgres):
            self.run(records.workspaces.update(self.homes[home].id, None, quota_bytes))

    @invariant()
    def usage_is_the_same(self) -> None:
        for home in self.homes:
            usage = self.run(self.postgres.documents.usage(home.id))
            assert usage == self.run(self.memory.documents.usage(home.id))


def test_every_sequence_has_the_same_outcomes_on_memory_and_on_postgres(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened = open_database(database_url)
        SideBySide.runner, SideBySide.database = runner, runner.run(opened.__aenter__())
        try:
            run_state_machine_as_test(
                SideBySide, settings=settings(max_examples=100, stateful_step_count=30, deadline=None)
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))
    # Otherwise this would prove less than it seems to.
    assert SideBySide.met == set(get_args(Outcome))
