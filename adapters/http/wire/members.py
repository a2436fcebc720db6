"""Members that more than one body has: their types, described."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from domain import documents
from domain.paths import STORAGE_PATH_MAX_BYTES

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=documents.NAME_MAX,
        description="Display name of the document: not blank, no control characters. Kept in NFC.",
        examples=["Acme-NDA-2026.pdf"],
    ),
]
MimeType = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=documents.MIME_TYPE_MAX,
        description="Media type in the syntax of RFC 6838, parameters allowed.",
        examples=["application/pdf"],
    ),
]
StoragePath = Annotated[
    str,
    Meta(
        max_length=STORAGE_PATH_MAX_BYTES,
        description="Object key where the uploaded bytes lie, under `workspaces/<your workspace>/`.",
        examples=["workspaces/ws_01HY0000000000000000000000/documents/01HY0000000000000000000000/Acme-NDA-2026.pdf"],
    ),
]
SizeBytes = Annotated[int, Meta(ge=0, le=documents.SIZE_MAX, description="Size in bytes.", examples=[183204])]
Description = Annotated[str, Meta(max_length=documents.DESCRIPTION_MAX, description="Free text; newlines allowed.")]
Folder = Annotated[
    str,
    Meta(
        description="Folder path, made on demand; absent, `null` and `/` are the root.",
        examples=["/clients/acme/ndas"],
    ),
]
Tag = Annotated[str, Meta(min_length=1, max_length=documents.TAG_MAX)]
Tags = Annotated[list[Tag], Meta(max_length=documents.TAGS_MAX, examples=[["nda", "confidentiality"]])]
Time = Annotated[datetime, Meta(description="UTC, whole seconds.", examples=["2026-04-17T10:45:00Z"])]
Count = Annotated[int, Meta(ge=0, description="How many documents there are.")]


def seconds(at: datetime) -> datetime:
    """A `Time`."""
    return at.replace(microsecond=0)
