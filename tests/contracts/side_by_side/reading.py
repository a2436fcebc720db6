"""The rules of the state machine that read."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from adapters.postgres.rows import to_uuid
from domain.entity_links import EntityType
from domain.pages import Page
from domain.paths import FolderPath
from domain.search import DocumentFilter
from ports.queries import After
from tests.contracts.side_by_side.machine import (
    DIGESTS,
    ENTITIES,
    FOLDERS,
    HOMES,
    MIME_TYPES,
    RECENT,
    ROLES,
    TAGS,
    Sides,
)

WORDS = st.sampled_from(["a", ".", "pdf", "strasse", "_", "%", "\\", "zwei", "pdf zwei", "文", "文档", "ü文"])
FILTERS = st.builds(
    DocumentFilter,
    folder=FOLDERS,
    recursive=st.sampled_from([True, True, False]),
    tags=st.just(()) | TAGS,
    mime_type=st.none() | MIME_TYPES,
    words=st.just(()) | st.lists(WORDS, max_size=2, unique=True).map(tuple),
    sha256=st.none() | DIGESTS,
)
AGES = st.none() | st.sampled_from([0, 1, 3600, 90_000])
SIZES = st.sampled_from([1, 3, 100])
PAGES = st.builds(Page, st.integers(1, 3), SIZES)


class Reading(Sides):
    """The state machine with a rule for each read."""

    @rule(recent=RECENT, home=HOMES)
    def get(self, recent: int, home: int) -> None:
        document = self.document(recent)
        any_workspace = self.homes[home].id
        self.same(lambda records: records.documents.get(document.workspace_id, document.id))
        self.same(lambda records: records.documents.get(any_workspace, document.id))
        self.same(lambda records: records.ledger.states([document.storage_path]))

    @rule(recent=RECENT)
    def read_a_receipt(self, recent: int) -> None:
        _, intent = self.sent[-1 - recent % len(self.sent)]
        if intent.operation == "create_document":
            self.same(lambda records: records.documents.receipt(intent))

    @rule(home=HOMES, wanted=FILTERS, ages=st.tuples(AGES, AGES), place=PAGES | st.tuples(RECENT, SIZES))
    def find(
        self, home: int, wanted: DocumentFilter, ages: tuple[int | None, int | None], place: Page | tuple[int, int]
    ) -> None:
        after, before = (None if age is None else self.clock() - timedelta(seconds=age) for age in ages)
        wanted = replace(wanted, created_after=after, created_before=before)
        where = place if isinstance(place, Page) else After(self.document(place[0]).id, place[1])
        self.same(lambda records: records.documents.find(self.homes[home].id, wanted, where))

    @rule(home=HOMES, entity=ENTITIES, role=ROLES, page=PAGES)
    def list_linked_documents(self, home: int, entity: tuple[str, str], role: str | None, page: Page) -> None:
        kind, id_ = EntityType(entity[0]), entity[1]
        self.same(lambda records: records.documents.linked(self.homes[home].id, kind, id_, role, page))

    @rule(home=HOMES, parent=st.sampled_from([None, "/a", "/a/b", "/b", "/d" * 17]), page=PAGES)
    def list_folders(self, home: int, parent: str | None, page: Page) -> None:
        at = None if parent is None else FolderPath(parent)
        self.same(lambda records: records.documents.folders(self.homes[home].id, at, page))

    @rule(home=HOMES, page=PAGES)
    def list_tags(self, home: int, page: Page) -> None:
        self.same(lambda records: records.documents.tags(self.homes[home].id, page))

    @invariant()
    def usage_is_the_same(self) -> None:
        first, second = self.homes
        self.same(lambda records: records.documents.usage(first.id))
        self.same(lambda records: records.documents.usage(second.id))

    def teardown(self) -> None:
        counted = "SELECT count(*) FROM folders WHERE folders.workspace_id = usage.workspace_id"
        wrong = f"SELECT FROM usage WHERE workspace_id = ANY ($1) AND folders <> ({counted})"
        assert self.run(self.database.fetch(wrong, [to_uuid(home.id) for home in self.homes])) == []
