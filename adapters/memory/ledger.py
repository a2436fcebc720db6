"""The ledger of paths in memory, on the records that the repository keeps."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from adapters.memory.documents import MemoryDocuments
from adapters.memory.records import LedgerEntry
from domain.ids import WorkspaceId
from domain.paths import StoragePath
from ports.ledger import CondemnedPath, PathState
from ports.storage import ListedObject


class MemoryLedger:
    """`ObjectLedger` in memory."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents

    async def states(self, workspace: WorkspaceId, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        known = self._documents.records_of(workspace).paths
        return {path: known[path].state for path in paths if path in known}

    async def recorded_versions(
        self, workspace: WorkspaceId, paths: Sequence[StoragePath]
    ) -> Mapping[StoragePath, str]:
        documents = self._documents.records_of(workspace).documents.values()
        recorded = {document.storage_path: document.stored.version_id for document in documents}
        return {path: version for path in paths if (version := recorded.get(path)) is not None}

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        known = self._documents.records_of(workspace).paths
        condemned = []
        for item in objects:
            path = StoragePath(item.key)
            entry = known.setdefault(path, LedgerEntry(PathState.CONDEMNED, None, at))
            if entry.state is PathState.GONE:
                known[path] = LedgerEntry(PathState.CONDEMNED, entry.document_id, at)
            if entry.state is not PathState.RECORDED:
                condemned.append(path)
        return condemned

    async def condemned(self) -> AsyncIterator[Sequence[CondemnedPath]]:
        for workspace, records in list(self._documents.by_workspace.items()):
            yield [
                CondemnedPath(workspace, path)
                for path, entry in records.paths.items()
                if entry.state is PathState.CONDEMNED
            ]

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        known = self._documents.records_of(workspace).paths
        for path in paths:
            match known.get(path):
                case LedgerEntry(PathState.CONDEMNED, document, datetime() as since) if since < condemned_before:
                    known[path] = LedgerEntry(PathState.GONE, document, since)

    async def delete_expired_receipts(self, at: datetime) -> int:
        return self._documents.receipts.forget(at)
