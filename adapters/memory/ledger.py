"""The ledger of paths, kept by the documents in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from adapters.memory.documents import MemoryDocuments
from adapters.memory.shelf import Entry
from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.ledger import CondemnedPath, PathState
from ports.storage import ListedObject


class MemoryLedger:
    """`ObjectLedger` in memory: atomic, because nothing is awaited between a look and the write it decides."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents

    async def states(self, workspace: WorkspaceId, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        known = self._documents.shelf(workspace).paths
        return {path: known[path].state for path in paths if path in known}

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        known = self._documents.shelf(workspace).paths
        condemned = []
        for item in objects:
            path = StoragePath(item.key)
            entry = known.setdefault(path, Entry(PathState.CONDEMNED, None, at))
            if entry.state is PathState.GONE:
                known[path] = Entry(PathState.CONDEMNED, entry.document_id, at)
            if entry.state is not PathState.RECORDED:
                condemned.append(path)
        return condemned

    async def condemned(self) -> AsyncIterator[Sequence[CondemnedPath]]:
        for workspace, shelf in list(self._documents.shelves.items()):
            yield [
                CondemnedPath(workspace, path)
                for path, entry in shelf.paths.items()
                if entry.state is PathState.CONDEMNED
            ]

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        known = self._documents.shelf(workspace).paths
        for path in paths:
            match known.get(path):
                case Entry(PathState.CONDEMNED, document, datetime() as since) if since < condemned_before:
                    known[path] = Entry(PathState.GONE, document, since)

    async def delete_expired_receipts(self, at: datetime) -> int:
        return self._documents.receipts.forget(at)
