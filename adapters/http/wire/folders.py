"""Folders and tags."""

from typing import Annotated

from msgspec import Meta, Struct, field

from adapters.http.wire.envelope import PageQuery
from adapters.http.wire.members import Count, Folder, Tag


class MoveFolderBody(Struct, forbid_unknown_fields=True):
    """A folder, and its new path."""

    source: Folder = field(name="from")
    target: Folder = field(name="to")


class ListFoldersQuery(PageQuery):
    parent: Annotated[Folder, Meta(description="The folder whose direct subfolders are listed.")] = "/"


class ListTagsQuery(PageQuery):
    pass


class FolderRow(Struct):
    """A folder, and the number of documents in it and in the folders below it."""

    folder: Folder
    documents: Count


class FolderList(Struct):
    """Folders in the order of their paths."""

    folders: list[FolderRow]


class TagRow(Struct):
    """A tag, and the number of documents that have it."""

    name: Tag
    count: Count


class TagList(Struct):
    """Tags, the most frequent one first."""

    tags: list[TagRow]
