"""The two kinds of paths: storage paths in the object store, and folder paths of documents."""

import re
from typing import NewType

from domain.ids import WorkspaceId, is_ulid
from domain.members import RuleViolation
from domain.text import NAMELESS, label, nearest_label, string

StoragePath = NewType("StoragePath", str)
"""An object key below `workspaces/<workspace>/`. Only the function `storage_path` makes one from the text of a
client."""

FolderPath = NewType("FolderPath", str)
"""An absolute folder path such as `/clients/acme`. The root is `None`, never `/`."""

STORAGE_PATH_MAX_BYTES = 1024
FOLDER_LEVELS_MAX = 20
FOLDER_LEVEL_MAX = 255
FOLDER_PATH_MAX = FOLDER_LEVELS_MAX * (1 + FOLDER_LEVEL_MAX)
"""The most characters of a folder path. The bounds of its levels imply it."""

FOLDERS_MAX = 100_000
"""The most folders of a workspace."""

TOO_MANY_FOLDERS = (
    f"needs more folders than the {FOLDERS_MAX:,} that a workspace may have; use an existing one, or delete empty ones"
)
"""Why a member that names a new folder is refused."""

# The characters that S3 documents as safe or usable in object keys. None has a meaning in a Unix file system.
_SEGMENT = r"(?!\.{1,2}(?:/|\Z))(?! )[A-Za-z0-9!\-_.*'()&$@=;:+, ]{1,255}(?<! )"
_OBJECT_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


WORKSPACES_PREFIX = "workspaces/"
"""The prefix of every object key of every workspace."""


def workspace_prefix(workspace: WorkspaceId) -> str:
    """Return the prefix of every object key of the workspace."""
    return f"{WORKSPACES_PREFIX}{workspace}/"


def workspace_of(key: str) -> WorkspaceId:
    """Return the workspace of an object key below `workspaces/<workspace>/`."""
    return WorkspaceId(key.split("/", 2)[1])


def issued_prefix(workspace: WorkspaceId) -> str:
    """Return the prefix of the storage paths that `upload-url` issues. A ULID and the name of the file follow."""
    return f"{workspace_prefix(workspace)}documents/"


def has_issued_form(key: str, workspace: WorkspaceId) -> bool:
    """Return whether an object key has the form of those that `upload-url` issues."""
    prefix = issued_prefix(workspace)
    ulid, _, name = key.removeprefix(prefix).partition("/")
    return key.startswith(prefix) and is_ulid(ulid) and name != "" and "/" not in name


def storage_path(value: object, workspace: WorkspaceId) -> StoragePath:
    """Return an object key of this workspace, unchanged. A malformed one is refused and never normalised.

    Another workspace's object key is refused with the same text as a malformed one, so the refusal reveals nothing.
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
    """Return a folder path, each level as `label` returns it; `None` for the root. One trailing slash is dropped."""
    path = string(value)
    if path == "/":
        return None
    if not path.startswith("/"):
        raise RuleViolation("must begin with '/'")
    segments = path[1:].removesuffix("/").split("/")
    if len(segments) > FOLDER_LEVELS_MAX:
        raise RuleViolation(f"must have at most {FOLDER_LEVELS_MAX} levels")
    return FolderPath("".join(f"/{_folder_level(segment)}" for segment in segments))


def nearest_folder_path(path: str) -> FolderPath:
    """Return the valid folder path that is nearest to a path from an earlier version, each level as `nearest_label`
    returns it."""
    levels = (nearest_label(level, most=FOLDER_LEVEL_MAX) for level in path[1:].split("/"))
    return FolderPath("".join(f"/{NAMELESS if level in ('.', '..') else level}" for level in levels))


def subfolder_path(value: object) -> FolderPath:
    """Return the path of a folder that is not the root, as `folder_path` does."""
    path = folder_path(value)
    if path is None:
        raise RuleViolation("must not be the root")
    return path


def _folder_level(sent: str) -> str:
    if sent == "":
        raise RuleViolation("must not have empty, '.' or '..' levels")
    level = label(sent, most=FOLDER_LEVEL_MAX)
    # This check comes after trimming and normalising, because both can turn another text into one of these.
    if level in (".", "..") or "/" in level:
        raise RuleViolation("must not have empty, '.' or '..' levels")
    return level


def ancestors(folder: FolderPath | None) -> tuple[FolderPath, ...]:
    """Return the folder and every folder above it except the root, from the top: `/a`, `/a/b`."""
    if folder is None:
        return ()
    segments = folder[1:].split("/")
    return tuple(FolderPath("/" + "/".join(segments[:depth])) for depth in range(1, len(segments) + 1))


def parent(folder: FolderPath) -> FolderPath | None:
    """Return the folder directly above: `/a` for `/a/b`, `None` (the root) for `/a`."""
    return FolderPath(folder.rpartition("/")[0]) or None


def is_within(folder: FolderPath | None, above: FolderPath) -> bool:
    """Return whether the folder is `above` or lies below it."""
    return folder is not None and (folder == above or folder.startswith(f"{above}/"))


def depth(folder: FolderPath) -> int:
    """Return the number of levels of a folder: 2 for `/a/b`."""
    return folder.count("/")
