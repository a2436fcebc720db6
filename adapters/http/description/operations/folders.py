"""The description of the operations on folders and tags."""

from adapters.http.description.described import Described, Section
from adapters.http.description.refusals import OF_A_BODY
from adapters.http.wire.envelope import Envelope, Paged
from adapters.http.wire.folders import FolderList, MovedFolder, MovedFolderPath, MoveFolderBody, TagList
from domain.errors import FolderExists, FolderInUse, IdempotencyMismatch, Invalid

FOLDERS = Section(
    "Folders and tags",
    "The folders and tags of documents.",
    {
        "list_folders": Described(summary="List folders", success=Paged[FolderList]),
        "move_folder": Described(
            summary="Rename or move a folder",
            body=MoveFolderBody,
            success=Envelope[MovedFolder],
            narrowed=Envelope[MovedFolderPath],
            refusals=(*OF_A_BODY, FolderExists, IdempotencyMismatch),
            idempotent=True,
        ),
        "delete_folder": Described(
            summary="Delete an empty folder",
            status=204,
            refusals=(Invalid, FolderInUse, IdempotencyMismatch),
            idempotent=True,
        ),
        "list_tags": Described(summary="List tags", success=Paged[TagList]),
    },
)
