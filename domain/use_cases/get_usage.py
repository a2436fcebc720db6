"""What a workspace uses of its quota."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from ports.documents import DocumentRepository
from ports.queries import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUsage:
    """Say how many bytes and documents the caller's workspace has, and how many bytes it may have.

    Exact at the moment of the answer: the sum of the stored sizes of all its documents.
    """

    documents: DocumentRepository

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller) -> Usage:
        caller.require(self.permission)
        return await self.documents.usage(caller.workspace_id)
