"""Find the differences between a database and an object store, after one of them was restored or copied."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.ids import WorkspaceId, least_ulid
from domain.paths import StoragePath, issued_prefix, workspace_of
from domain.use_cases.stored_objects import proves_a_loss, stored_objects
from ports.documents import DocumentRepository
from ports.ledger import ObjectLedger, PathState
from ports.storage import ObjectStorage
from ports.workspaces import Workspaces

EXAMPLES_MAX = 20
"""The most object keys that a comparison names."""

COMPARED_MAX = 1000
"""The number of workspaces that a start compares with the store."""

_AT_ONCE = 200
"""The number of workspaces of one look-up and one listing."""


@dataclass(slots=True)
class StoreComparison:
    """The differences between a database and a store.

    `objects` counts all listed objects. `unknown` counts those whose paths are not in the ledger; `unknown_bytes` is
    their total size, and `examples` has the first of their object keys. `missing` counts documents without an object.
    """

    objects: int = 0
    unknown: int = 0
    unknown_bytes: int = 0
    missing: int = 0
    examples: list[str] = field(default_factory=list)


def _ignore_progress(_: StoreComparison) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareStore:
    """List all objects of all workspaces, and compare them with the ledger. Change nothing.

    `on_progress` receives the comparison after every page.
    """

    workspaces: Workspaces
    documents: DocumentRepository
    ledger: ObjectLedger
    storage: ObjectStorage

    async def __call__(self, on_progress: Callable[[StoreComparison], None] = _ignore_progress) -> StoreComparison:
        found = StoreComparison()
        before, recorded = await self._documents(), Counter[WorkspaceId]()
        async for listed in stored_objects(self.workspaces, self.storage):
            page = [item for items in listed.values() for item in items]
            states = await self.ledger.states([StoragePath(item.key) for item in page])
            unknown = [item for item in page if item.key not in states]
            found.objects += len(page)
            found.unknown += len(unknown)
            found.unknown_bytes += sum(item.size_bytes for item in unknown)
            found.examples += [item.key for item in unknown][: EXAMPLES_MAX - len(found.examples)]
            recorded.update(workspace_of(path) for path, state in states.items() if state is PathState.RECORDED)
            on_progress(found)
        for workspace, documents in (await self._documents()).items():
            # A running server may have recorded documents since, which the listing lacks, or deleted some.
            found.missing += max(0, min(before.get(workspace, 0), documents) - recorded[workspace])
        return found

    async def _documents(self) -> Mapping[WorkspaceId, int]:
        """Return the number of documents of each workspace."""
        return {
            workspace.id: (await self.documents.usage(workspace.id)).documents
            async for page in self.workspaces.pages()
            for workspace in page
        }


async def unissued_uploads(
    workspaces: Workspaces, ledger: ObjectLedger, storage: ObjectStorage, *, since: datetime, now: datetime
) -> Sequence[str]:
    """Return the object keys of uploads that this database never issued, and that were stored after `since`.

    They show that the database was restored to an earlier time, or lost its newest records in a failover to a replica
    that was behind. The ledger knows an upload before its URL is handed out, so a database that lost nothing knows
    every upload. `upload-url` issues paths in the order of time, so only the objects beyond the newest known path are
    listed: that takes one short listing per workspace, however many objects it has.

    At most `COMPARED_MAX` workspaces are compared, those that were used last, so that a start takes no longer in a
    large deployment. Records of a moment that were lost are most likely lost in one of these too. A sweep compares all
    workspaces before it deletes anything.
    """
    found: list[str] = []
    ids = await workspaces.recently_used(COMPARED_MAX)
    # Only ULIDs of the past: a client may record other paths below the prefix, such as documents/2026/a.pdf.
    end = least_ulid(now + timedelta(days=1))
    for start in range(0, len(ids), _AT_ONCE):
        bounds = {id_: (issued_prefix(id_), issued_prefix(id_) + end) for id_ in ids[start : start + _AT_ONCE]}
        newest = await ledger.greatest_paths(bounds)
        async for page in storage.list_after({above: newest.get(id_, above) for id_, (above, _) in bounds.items()}):
            workspace = workspace_of(page[0].key)
            paths = [
                StoragePath(item.key)
                for item in page
                if item.key < bounds[workspace][1] and proves_a_loss(item, workspace, since, now)
            ]
            # The states are read last: a running server may have issued these paths since `newest` was read.
            known = await ledger.states(paths) if paths else {}
            found += [path for path in paths if path not in known]
    return found
