"""The two grammars of paths: where bytes lie in the object store, and where a document lies in its folders."""

import re
from typing import NewType

from domain.ids import WorkspaceId
from domain.members import RuleViolation
from domain.text import clean_text, string

StoragePath = NewType("StoragePath", str)
"""An object key below `workspaces/<workspace>/`: only `storage_path` makes one from what a client sent."""

FolderPath = NewType("FolderPath", str)
"""An absolute folder such as `/clients/acme`; the root is `None`, never `/`."""

STORAGE_PATH_MAX_BYTES = 1024
FOLDER_LEVELS_MAX = 20
FOLDER_LEVEL_MAX = 255

# The characters that S3 calls safe or usable in object keys; no Unix file system gives any of them a meaning.
_SEGMENT = r"(?!\.{1,2}(?:/|\Z))(?! )[A-Za-z0-9!\-_.*'()&$@=;:+, ]{1,255}(?<! )"
_OBJECT_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


def workspace_prefix(workspace: WorkspaceId) -> str:
    """What every object key of the workspace begins with."""
    return f"workspaces/{workspace}/"


def storage_path(value: object, workspace: WorkspaceId) -> StoragePath:
    """An object key of this workspace, as it is: refused, never normalised.

    Another workspace's key gets the answer that nonsense gets, so that nothing is learned from it.
    """
    key = string(value)
    if not (
        len(key) <= STORAGE_PATH_MAX_BYTES
        and key.startswith(workspace_prefix(workspace))
        and _OBJECT_KEY.fullmatch(key)
    ):
        raise RuleViolation("must be an object key of this workspace, such as the one that upload-url returned")
    return StoragePath(key)


def folder_path(value: object) -> FolderPath | None:
    """A folder in NFC; one trailing slash is dropped, `/` is the root (`None`)."""
    path = string(value)
    if path == "/":
        return None
    if not path.startswith("/"):
        raise RuleViolation("must begin with '/'")
    segments = path[1:].removesuffix("/").split("/")
    if len(segments) > FOLDER_LEVELS_MAX:
        raise RuleViolation(f"must have at most {FOLDER_LEVELS_MAX} levels")
    return FolderPath("".join(f"/{_folder_segment(segment)}" for segment in segments))


def _folder_segment(segment: str) -> str:
    if segment in ("", ".", ".."):
        raise RuleViolation("must not have empty, '.' or '..' levels")
    # No characters that cannot be seen (Cf) or mean something only to some (Co): levels are told apart by eye.
    return clean_text(segment, most=FOLDER_LEVEL_MAX, hidden=("Cc", "Cf", "Co", "Cs"))


def ancestors(folder: FolderPath | None) -> tuple[FolderPath, ...]:
    """The folder and everything above it but the root, from the top: `/a`, `/a/b`."""
    if folder is None:
        return ()
    segments = folder[1:].split("/")
    return tuple(FolderPath("/" + "/".join(segments[:depth])) for depth in range(1, len(segments) + 1))


def is_within(folder: FolderPath | None, above: FolderPath) -> bool:
    """Whether the folder is `above` or lies somewhere below it."""
    return folder is not None and (folder == above or folder.startswith(f"{above}/"))


def depth(folder: FolderPath) -> int:
    """How many levels a folder has: 2 for `/a/b`."""
    return folder.count("/")
