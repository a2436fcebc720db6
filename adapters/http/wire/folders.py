"""Folders and tags: where documents are, and what they are called."""

from msgspec import Struct, field

from adapters.http.wire.members import Count, Folder, Tag


class MoveFolderBody(Struct, forbid_unknown_fields=True):
    """A folder, and the path that it is to have."""

    source: Folder = field(name="from")
    target: Folder = field(name="to")


class FolderRow(Struct):
    """A folder, and how many documents are in it and below it."""

    folder: Folder
    documents: Count


class FolderList(Struct):
    """Folders, by their paths."""

    folders: list[FolderRow]


class TagRow(Struct):
    """A tag, and how many documents have it."""

    name: Tag
    count: Count


class TagList(Struct):
    """Tags, the most frequent first."""

    tags: list[TagRow]
