"""Read the storage usage of a workspace."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from ports.documents import DocumentRepository
from ports.queries import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUsage:
    """Get the storage usage of the caller's workspace: bytes used, quota in bytes, and number of documents.

    `used_bytes` is the exact sum of the stored sizes of all documents at that moment. `reserved_bytes` is what issued
    uploads may still take: together they never exceed the quota, unless the quota was lowered.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller) -> Usage:
        caller.require(self.permission)
        return await self.documents.usage(caller.workspace_id)
