"""Rename and move folders."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.errors import FolderExists, Invalid
from domain.members import Form, Members
from domain.paths import (
    FOLDER_LEVELS_MAX,
    FOLDER_PATH_MAX_BYTES,
    TOO_MANY_FOLDERS,
    FolderPath,
    is_within,
    subfolder_path,
)
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import FolderMoved, FolderTaken, NoSuchFolder, TooDeep, TooLong, TooManyFolders
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Moved:
    """The new path of the folder, and the number of documents in it and below it."""

    folder: FolderPath
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Rename or move a folder with everything in it and below it, in one step, however much it contains.

    - `to` must not lie inside the folder itself. An empty folder at `to` is replaced; one with documents is a conflict.
      Every folder above `to` is created.
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
                return Moved(target, documents)
            case NoSuchFolder():
                raise Invalid({"from": "is not a folder; list the folders with GET /v1/folders"})
            case FolderTaken():
                raise FolderExists
            case TooDeep():
                raise Invalid(
                    {"to": f"puts a folder below it at more than {FOLDER_LEVELS_MAX} levels; choose a higher one"}
                )
            case TooLong():
                longest = f"{FOLDER_PATH_MAX_BYTES} bytes in UTF-8"
                raise Invalid({"to": f"makes a path below it longer than {longest}; choose a shorter one"})
            case TooManyFolders():
                raise Invalid({"to": TOO_MANY_FOLDERS})
            case _:
                assert_never(outcome)
