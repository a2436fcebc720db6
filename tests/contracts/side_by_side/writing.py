"""The rules of the state machine that write."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.access import Workspace
from domain.documents import Changes, Document
from domain.paths import FolderPath, is_within
from domain.preconditions import UNCONDITIONAL, Precondition
from ports.storage import ListedObject
from tests.contracts.changes import Change, change
from tests.contracts.records import none_of, only
from tests.contracts.side_by_side.machine import (
    DESCRIPTIONS,
    DIGESTS,
    ENTITIES,
    FOLDERS,
    HOMES,
    KEYS,
    MIME_TYPES,
    NAMES,
    RECENT,
    ROLES,
    TAGS,
    UUIDS,
    Sides,
)

PATHS = st.sampled_from([f"documents/{letter}" for letter in "abcdefghijkl"])
SIZES = st.sampled_from([1, 0, 5, 20, 1, 5, 101, 2**63 - 1])
ASKS = st.sampled_from(["this", "that"])
RARELY = st.sampled_from([False, False, False, True])
CONDITIONS: dict[str, Callable[[str], Precondition]] = {
    "none": lambda _: UNCONDITIONAL,
    "the current state": lambda state: only(state, "9"),
    "another state": lambda state: only(f"{state}0"),
    "the same revision in the root": lambda state: only(state.partition("-")[0]),
    "not the current state": lambda state: none_of(state),
    "not another state": lambda state: none_of(f"{state}0"),
}
"""The preconditions of a change, made from the state of its document."""
MEMBERS = st.fixed_dictionaries(
    {"size_bytes": SIZES, "folder": FOLDERS},
    optional={
        "name": NAMES,
        "description": DESCRIPTIONS,
        "mime_type": MIME_TYPES,
        "tags": TAGS,
        "sha256": st.none() | DIGESTS,
    },
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "description": DESCRIPTIONS,
        "folder": FOLDERS,
        "tags": TAGS,
        "mime_type": MIME_TYPES,
    },
)
PLACES = ("/a", "/a/b", "/ab", "/b/c", "/d" * 18)
# Some targets are taken, some are empty, and some are above their source. A pair that the domain refuses is left out
# here: a rule that discards its choice (`assume`) discards the whole sequence.
MOVES = [
    (source, target) for source in PLACES for target in PLACES if not is_within(FolderPath(target), FolderPath(source))
]
RARE_MOVES = [("/a", "/e" * 20), ("/a", "/d" * 18), ("/a", "/ab"), ("/ab", "/a")]
"""Moves that often are too deep, need too many folders, or have a target with documents. Among the others, these
outcomes would be too rare to occur in every run."""


class Writing(Sides):
    """The state machine with a rule for each write."""

    @rule(home=HOMES, path=PATHS, members=MEMBERS, key=KEYS, asks=ASKS)
    def create(self, home: int, path: str, members: dict[str, Any], key: str | None, asks: str) -> None:
        document = self.memory.document(self.homes[home], path=path, **members)
        self.send(document, self.memory.intent(self.homes[home], key, asks))

    @rule(home=HOMES, creates=st.dictionaries(PATHS, MEMBERS, min_size=2, max_size=4), keyed=st.booleans())
    def create_many_at_once(self, home: int, creates: dict[str, dict[str, Any]], *, keyed: bool) -> None:
        # Their paths and idempotency keys differ. If they were equal, several outcomes would be correct.
        where = self.homes[home]
        documents = [self.memory.document(where, path=path, **members) for path, members in creates.items()]
        intents = [self.memory.intent(where, key if keyed else None) for key in UUIDS[: len(documents)]]
        pairs = list(zip(documents, intents, strict=True))

        async def at_once() -> list[object]:
            return list(await asyncio.gather(*(self.postgres.documents.create(*pair) for pair in pairs)))

        async def one_by_one() -> list[object]:
            return [await self.memory.documents.create(*pair) for pair in pairs]

        outcomes = self.run(at_once())
        assert outcomes == self.run(one_by_one())
        for pair, outcome in zip(pairs, outcomes, strict=True):
            self.remember(*pair, outcome)

    @rule(recent=RECENT, is_foreign=RARELY, changes=CHANGES, condition=st.sampled_from([*CONDITIONS]))
    def patch(self, recent: int, changes: dict[str, Any], condition: str, *, is_foreign: bool) -> None:
        document = self.document(recent)
        precondition = self.precondition(document, condition)
        patch = change(
            "patch", document=document.id, changes=Changes(**changes), precondition=precondition, at=self.clock()
        )
        self.make(patch, self.home_of(document, is_foreign=is_foreign))

    def precondition(self, document: Document, condition: str) -> Precondition:
        current = self.run(self.memory.current(document))
        return CONDITIONS[condition]((current or document).state)

    @rule(recent=RECENT, is_foreign=RARELY, condition=st.sampled_from([*CONDITIONS]), key=KEYS)
    def delete(self, recent: int, condition: str, key: str | None, *, is_foreign: bool) -> None:
        document = self.document(recent)
        precondition = self.precondition(document, condition)
        delete = change("delete", document=document.id, precondition=precondition, at=self.clock())
        self.make(delete, self.home_of(document, is_foreign=is_foreign), key, document.id)

    @rule(recent=RECENT, is_foreign=RARELY, entity=ENTITIES, role=ROLES, key=KEYS)
    def link(
        self, recent: int, entity: tuple[str, str], role: str | None, key: str | None, *, is_foreign: bool
    ) -> None:
        document = self.document(recent)
        link = self.memory.link(document.id, *entity, role)
        self.links.append((document, link))
        home = self.home_of(document, is_foreign=is_foreign)
        self.make(change("add_link", link=link), home, key, f"{document.id} {entity}")

    @rule(recent=RECENT, is_foreign=RARELY, is_of_other_document=RARELY, key=KEYS)
    def unlink(self, recent: int, key: str | None, *, is_foreign: bool, is_of_other_document: bool) -> None:
        document, link = self.links[-1 - recent % len(self.links)]
        if is_of_other_document:
            document = self.document(recent)
        removal = change("remove_link", document=document.id, link=link.id, at=self.clock())
        self.make(removal, self.home_of(document, is_foreign=is_foreign), key, f"{document.id} {link.id}")

    @rule(home=HOMES, move=st.sampled_from(RARE_MOVES) | st.sampled_from(MOVES))
    def move(self, home: int, move: tuple[str, str]) -> None:
        source, target = map(FolderPath, move)
        self.make(change("move_folder", source=source, target=target, at=self.clock()), self.homes[home])

    @rule(home=HOMES, folder=st.sampled_from(PLACES))
    def delete_folder(self, home: int, folder: str) -> None:
        self.make(change("delete_folder", folder=FolderPath(folder), at=self.clock()), self.homes[home])

    @rule(home=HOMES)
    def delete_empty_folders(self, home: int) -> None:
        self.same(lambda records: records.ledger.delete_empty_folders(self.homes[home].id))

    def make(self, made: Change, home: Workspace, key: str | None = None, asks: str = "") -> None:
        self.send(made, self.memory.intent(home, key, asks, made.method))

    @rule(recent=RECENT)
    def send_again(self, recent: int) -> None:
        self.send(*self.sent[-1 - recent % len(self.sent)])

    @rule(home=HOMES, path=PATHS, size_bytes=SIZES, step=st.sampled_from(["issue", "reserve", "settle"]))
    def upload(self, home: int, path: str, size_bytes: int, step: str) -> None:
        where = self.homes[home]
        upload = self.memory.upload(where, path, size_bytes)
        if step == "settle":
            self.same(lambda records: records.overdue(where))
            self.same(lambda records: records.settle(where, {upload.path: size_bytes or None}))
        # A repository may take a known path for an earlier attempt of the same call: only new ones are issued.
        elif step == "issue" and self.run(self.memory.states(where, upload.path)) == [None]:
            self.met.add(type(self.same(lambda records: records.documents.issue_upload(upload))))
        else:
            self.same(lambda records: records.ledger.reserve(upload))

    @rule(home=HOMES, path=PATHS)
    def condemn(self, home: int, path: str) -> None:
        workspace = self.homes[home].id
        listed = ListedObject(key=f"workspaces/{workspace}/{path}", size_bytes=1, etag="e", modified_at=self.clock())
        self.same(lambda records: records.ledger.condemn(workspace, [listed], self.clock()))

    @rule(recent=RECENT)
    def finalise(self, recent: int) -> None:
        document = self.document(recent)
        before = self.clock() - timedelta(minutes=1)
        self.same(lambda records: records.ledger.finalise(document.workspace_id, [document.storage_path], before))

    @rule(seconds=st.sampled_from([0.001, 1, 3600, 86_399, 86_400]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    @rule(home=HOMES, quota_bytes=st.sampled_from([100, 200, 50, 0]))
    def change_quota(self, home: int, quota_bytes: int) -> None:
        self.same(lambda records: records.workspaces.update(self.homes[home].id, None, quota_bytes))
