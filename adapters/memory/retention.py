"""The deletion of receipts and unused paths in memory. Events are not kept there, only counted."""

from datetime import datetime

from adapters.memory.documents import MemoryDocuments
from ports.ledger import PathState


class MemoryRetention:
    """`Retention` in memory."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents

    async def delete_expired_receipts(self, at: datetime) -> int:
        return self._documents.receipts.forget(at)

    async def delete_events(self, before: datetime) -> int:  # noqa: ARG002  no events are kept
        return 0

    async def forget_unused_paths(self, before: datetime) -> int:
        forgotten_count = 0
        for records in self._documents.by_workspace.values():
            for path, entry in list(records.paths.items()):
                is_unused = entry.state is PathState.GONE and entry.document_id is None
                if is_unused and entry.condemned_at is not None and entry.condemned_at < before:
                    del records.paths[path]
                    forgotten_count += 1
        return forgotten_count
