"""Rename and move folders."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.errors import FolderExists, Invalid
from domain.members import Form, Members
from domain.paths import FOLDER_LEVELS_MAX, FolderPath, is_within, subfolder_path
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import FolderMoved, FolderTaken, NoSuchFolder, TooDeep
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Moved:
    """The new path of the folder, and the number of documents in it and below it if the caller may read documents."""

    folder: FolderPath
    documents: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Rename or move a folder with everything in it and below it, in one step, however much it contains.

    - `to` must not lie inside the folder itself. An empty folder at `to` is replaced; one with documents is a conflict.
      Every folder above `to` is created.
    - The response counts the moved documents, if the API key has `read:documents`.
    - The stored bytes stay where they are. The `ETag` of every document in the folder changes.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members) -> Moved:
        caller.require(self.permission)
        form = Form(members)
        source = form.required("from", subfolder_path)
        target = form.required("to", subfolder_path)
        form.finish()
        if is_within(target, source):
            raise Invalid({"to": "must lie outside the folder that is moved"})
        intent = Intent.of("move_folder", caller.workspace_id, members, caller=caller)
        outcome = await self.documents.move_folder(source, target, at=self.now(), intent=intent)
        match outcome:
            case FolderMoved(documents):
                return Moved(target, documents if caller.may(Permission.READ_DOCUMENTS) else None)
            case NoSuchFolder():
                raise Invalid({"from": "is not a folder; list the folders with GET /v1/folders"})
            case FolderTaken():
                raise FolderExists
            case TooDeep():
                raise Invalid({"to": f"puts a folder below it at more than {FOLDER_LEVELS_MAX} levels"})
            case _:
                assert_never(outcome)
