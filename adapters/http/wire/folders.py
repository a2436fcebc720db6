"""Folders and tags."""

from typing import Annotated

from msgspec import Meta, Struct, field

from adapters.http.wire.envelope import PageQuery
from adapters.http.wire.members import Count, Folder, Subfolder, Tag
from domain.pages import PER_PAGE_MAX


class MoveFolderBody(Struct, forbid_unknown_fields=True):
    """A folder, and its new path."""

    source: Annotated[Subfolder, Meta(description="The folder as it is now.")] = field(name="from")
    target: Annotated[
        Subfolder, Meta(description="Its new path, outside the folder itself.", examples=["/clients/acme-ltd"])
    ] = field(name="to")


class ListFoldersQuery(PageQuery):
    parent: Annotated[Folder, Meta(description="The folder whose direct subfolders are listed.")] = "/"


class DeleteFolderQuery(Struct):
    folder: Annotated[Subfolder, Meta(description="The folder to delete, with all folders below it.")]


class ListTagsQuery(PageQuery):
    pass


class FolderRow(Struct):
    """A folder, and the number of documents in it and in the folders below it."""

    folder: Subfolder
    documents: Count


class MovedFolder(FolderRow):
    """A folder at its new path, and the number of documents in it and in the folders below it."""

    documents_is_exact: Annotated[
        bool, Meta(description="`false` if there are more documents or folders than were counted.")
    ]


class MovedFolderPath(Struct):
    """A folder at its new path, for an API key without `read:documents`."""

    folder: Subfolder


class FolderList(Struct):
    """Folders in the order of their paths."""

    folders: Annotated[list[FolderRow], Meta(max_length=PER_PAGE_MAX)]


class TagRow(Struct):
    """A tag, and the number of documents that have it."""

    name: Tag
    count: Count


class TagList(Struct):
    """Tags, the most frequent one first."""

    tags: Annotated[list[TagRow], Meta(max_length=PER_PAGE_MAX)]
