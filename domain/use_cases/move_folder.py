"""Rename and move folders."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.errors import FolderExists, Invalid
from domain.members import Form, Members, RuleViolation
from domain.paths import FOLDER_LEVELS_MAX, FolderPath, folder_path, is_within
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import FolderMoved, FolderTaken, NoSuchFolder, TooDeep
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Moved:
    """The new path of the folder, and the number of documents in it and below it."""

    folder: FolderPath
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Rename or move a folder with everything in it and below it, in one step, however much it contains.

    - `to` must not exist yet and must not lie inside the folder itself. Every folder above `to` is created.
    - The stored bytes stay where they are, and no document's `ETag` changes.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members) -> Moved:
        caller.require(self.permission)
        form = Form(members)
        source = form.required("from", _below_the_root)
        target = form.required("to", _below_the_root)
        form.finish()
        if is_within(target, source):
            raise Invalid({"to": "must lie outside the folder that is moved"})
        intent = Intent.of("move_folder", caller.workspace_id, members, caller=caller)
        outcome = await self.documents.move_folder(source, target, at=self.now(), intent=intent)
        match outcome:
            case FolderMoved(documents):
                return Moved(target, documents)
            case NoSuchFolder():
                raise Invalid({"from": "names no folder; list them with GET /v1/folders"})
            case FolderTaken():
                raise FolderExists
            case TooDeep():
                raise Invalid({"to": f"puts a folder below it at more than {FOLDER_LEVELS_MAX} levels"})
            case _:
                assert_never(outcome)


def _below_the_root(value: object) -> FolderPath:
    path = folder_path(value)
    if path is None:
        raise RuleViolation("must not be the root")
    return path
