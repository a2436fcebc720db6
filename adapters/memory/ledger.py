"""The ledger of paths in memory. It uses the records of the repository."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory import changes
from adapters.memory.documents import MemoryDocuments
from adapters.memory.records import LedgerEntry
from domain.ids import WorkspaceId
from domain.paths import StoragePath, ancestors, workspace_of
from ports.ledger import CondemnedPath, IssuedUpload, PathState
from ports.outcomes import OverQuota, PathTaken, UploadIssued
from ports.storage import ListedObject


class MemoryLedger:
    """`ObjectLedger` in memory."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents

    async def states(self, paths: Sequence[StoragePath]) -> Mapping[StoragePath, PathState]:
        known = {}
        for path in paths:
            records = self._documents.records_of(workspace_of(path))
            if path in records.paths:
                known[path] = records.paths[path].state
            elif path in records.uploads:
                known[path] = PathState.ISSUED
        return known

    async def reserve(self, upload: IssuedUpload) -> UploadIssued | OverQuota | PathTaken:
        usage = await self._documents.usage(upload.workspace_id)
        return changes.reserve(self._documents.records_of(upload.workspace_id), upload, usage.quota_bytes)

    async def overdue_uploads(self, at: datetime) -> AsyncIterator[Sequence[IssuedUpload]]:
        for records in list(self._documents.by_workspace.values()):
            yield [upload for upload in records.uploads.values() if upload.held_until <= at]

    async def settle_uploads(
        self, workspace: WorkspaceId, found: Mapping[StoragePath, int | None], at: datetime, look_again_at: datetime
    ) -> None:
        records = self._documents.records_of(workspace)
        for path, size in found.items():
            upload = records.uploads.get(path)
            if upload is None or upload.held_until > at:
                continue
            if size is None:
                del records.uploads[path]
                records.paths[path] = LedgerEntry(PathState.CONDEMNED, None, at)
            else:
                records.uploads[path] = replace(upload, reserved_bytes=size, held_until=look_again_at)

    async def greatest_paths(self, bounds: Mapping[WorkspaceId, tuple[str, str]]) -> Mapping[WorkspaceId, StoragePath]:
        between = {
            workspace: [path for path in self._documents.records_of(workspace).known_paths() if above < path < below]
            for workspace, (above, below) in bounds.items()
        }
        return {workspace: max(paths) for workspace, paths in between.items() if paths}

    async def recorded_versions(
        self, workspace: WorkspaceId, paths: Sequence[StoragePath]
    ) -> Mapping[StoragePath, str]:
        documents = self._documents.records_of(workspace).documents.values()
        recorded = {document.storage_path: document.stored.version_id for document in documents}
        return {path: version for path in paths if (version := recorded.get(path)) is not None}

    async def condemn(
        self, workspace: WorkspaceId, objects: Sequence[ListedObject], at: datetime
    ) -> Sequence[StoragePath]:
        records = self._documents.records_of(workspace)
        known = records.paths
        condemned = []
        for item in objects:
            path = StoragePath(item.key)
            records.uploads.pop(path, None)
            entry = known.setdefault(path, LedgerEntry(PathState.CONDEMNED, None, at))
            if entry.state is PathState.GONE:
                known[path] = LedgerEntry(PathState.CONDEMNED, entry.document_id, at)
            if entry.state is not PathState.RECORDED:
                condemned.append(path)
        return condemned

    async def condemned(self, at: datetime | None = None) -> AsyncIterator[Sequence[CondemnedPath]]:
        for workspace, records in list(self._documents.by_workspace.items()):
            yield [
                CondemnedPath(workspace, path)
                for path, entry in records.paths.items()
                if entry.state is PathState.CONDEMNED
                and (at is None or entry.delete_again_at is None or entry.delete_again_at <= at)
            ]

    async def postpone(self, workspace: WorkspaceId, paths: Sequence[StoragePath], until: datetime) -> None:
        known = self._documents.records_of(workspace).paths
        for path in paths:
            if (entry := known.get(path)) is not None and entry.state is PathState.CONDEMNED:
                known[path] = replace(entry, delete_again_at=until)

    async def finalise(self, workspace: WorkspaceId, paths: Sequence[StoragePath], condemned_before: datetime) -> None:
        known = self._documents.records_of(workspace).paths
        for path in paths:
            match known.get(path):
                case LedgerEntry(PathState.CONDEMNED, document, datetime() as since) if since < condemned_before:
                    known[path] = LedgerEntry(PathState.GONE, document, since)

    async def with_folders(self) -> AsyncIterator[Sequence[WorkspaceId]]:
        yield [workspace for workspace, records in self._documents.by_workspace.items() if records.folders]

    async def delete_empty_folders(self, workspace: WorkspaceId) -> int:
        records = self._documents.records_of(workspace)
        used = {folder for document in records.documents.values() for folder in ancestors(document.folder)}
        deleted_count = len(records.folders - used)
        records.folders &= used
        return deleted_count
