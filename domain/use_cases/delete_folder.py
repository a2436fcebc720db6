"""Delete empty folders."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.errors import FolderInUse, IdempotencyMismatch, Invalid
from domain.members import Form, Members
from domain.paths import subfolder_path
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import FolderDeleted, FolderHasDocuments, IdempotencyKeyReused, NoSuchFolder
from ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFolder:
    """Delete a folder and all folders below it, if no document is in any of them.

    With an `Idempotency-Key`, a repeated request within 24 hours returns the first response.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, query: Members, idempotency_key: str | None) -> bool:
        """Delete the folder; return whether an earlier request with this idempotency key deleted it."""
        caller.require(self.permission)
        form = Form(query, "parameter")
        folder = form.required("folder", subfolder_path)
        form.finish()
        intent = Intent.of("delete_folder", caller.workspace_id, query, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.documents.delete_folder(folder, at=self.now(), intent=intent)
        match outcome:
            case FolderDeleted(replayed):
                return replayed
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchFolder():
                raise Invalid({"folder": "is not a folder; list the folders with GET /v1/folders"})
            case FolderHasDocuments():
                raise FolderInUse
            case _:
                assert_never(outcome)
