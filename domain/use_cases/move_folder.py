"""Rename and move folders."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.errors import FolderExists, IdempotencyMismatch, Invalid
from domain.members import Form, Members, Rule, RuleViolation
from domain.paths import (
    FOLDER_LEVELS_MAX,
    TOO_MANY_FOLDERS,
    FolderPath,
    is_within,
    subfolder_path,
)
from ports.documents import DocumentRepository
from ports.intents import Intent
from ports.outcomes import (
    FolderMoved,
    FolderTaken,
    IdempotencyKeyReused,
    NoSuchFolder,
    TooDeep,
    TooManyFolders,
)
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Moved:
    """The new path of the folder, and the number of documents in it and below it if the caller may
    read documents.

    `replayed` if an earlier request with the same idempotency key moved it; then all are as they were after that one.
    """

    folder: FolderPath
    documents: int | None
    is_exact: bool = True
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Rename or move a folder with everything in it and below it. A large folder takes no longer than a small one.

    - `to` must not lie inside the folder itself. An empty folder at `to` is replaced; one with documents is a conflict.
      Every folder above `to` is created.
    - The response counts the moved documents, if the API key has `read:documents`. If they are more than 10,000, or in
      more than 10,000 folders, not all are counted, and `documents_is_exact` is false.
    - The stored bytes stay where they are. The `ETag` of every document in the folder changes.
    - With an `Idempotency-Key`, a repeated request within 24 hours moves nothing and returns the first response.
    """

    documents: DocumentRepository
    now: Clock

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members, idempotency_key: str | None) -> Moved:
        caller.require(self.permission)
        form = Form(members)
        source = form.required("from", subfolder_path)
        target = form.required("to", _outside(source))
        form.finish()
        intent = Intent.of("move_folder", caller.workspace_id, members, caller=caller, idempotency_key=idempotency_key)
        outcome = await self.documents.move_folder(source, target, at=self.now(), intent=intent)
        match outcome:
            case FolderMoved(documents, replayed, is_exact):
                shown = documents if caller.may(Permission.READ_DOCUMENTS) else None
                return Moved(target, shown, is_exact, replayed)
            case IdempotencyKeyReused():
                raise IdempotencyMismatch
            case NoSuchFolder():
                raise Invalid({"from": "is not a folder; list the folders with GET /v1/folders"})
            case FolderTaken():
                raise FolderExists
            case TooDeep():
                raise Invalid(
                    {"to": f"puts a folder below it at more than {FOLDER_LEVELS_MAX} levels; choose a higher one"}
                )
            case TooManyFolders():
                raise Invalid({"to": TOO_MANY_FOLDERS})
            case _:
                assert_never(outcome)


def _outside(folder: FolderPath | None) -> Rule[FolderPath]:
    """Return the rule of a path that is neither this folder nor below it; `None` if the folder itself is invalid."""

    def rule(value: object) -> FolderPath:
        path = subfolder_path(value)
        if folder is not None and is_within(path, folder):
            raise RuleViolation("must lie outside the folder that is moved")
        return path

    return rule
