"""Types of members that several bodies have, with their limits and descriptions."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from domain import documents
from domain.paths import STORAGE_PATH_MAX_BYTES

# Patterns express only the part of a rule that a regular expression can.
LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$"
"""Text without control characters."""

_TEXT = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"
NOT_BLANK = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
_LEVEL = r"(?!\.{1,2}(?:/|$))[^/\u0000-\u001f\u007f-\u009f]{1,255}"
_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


def _id(prefix: str, of: str) -> Meta:
    return Meta(
        pattern=f"^{prefix}_{_ULID}$",
        description=f"Id of {of}: opaque.",
        examples=[f"{prefix}_01HY0000000000000000000000"],
    )


DocumentId = Annotated[str, _id("doc", "a document")]
EntityLinkId = Annotated[str, _id("dlnk", "an entity link")]
ApiKeyId = Annotated[str, _id("key", "an API key")]
UserId = Annotated[str, _id("usr", "a user")]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=documents.NAME_MAX,
        pattern=NOT_BLANK,
        description="Display name of the document: not blank, no control characters. Stored in NFC.",
        examples=["Acme-NDA-2026.pdf"],
    ),
]
MimeType = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=documents.MIME_TYPE_MAX,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}([ \t]*;.*)?$",
        description="Media type in the syntax of RFC 6838, parameters allowed.",
        examples=["application/pdf"],
    ),
]
StoragePath = Annotated[
    str,
    Meta(
        max_length=STORAGE_PATH_MAX_BYTES,
        pattern=rf"^workspaces/ws_{_ULID}/.+$",
        description="Key of the uploaded object in the store, under `workspaces/<your workspace>/`.",
        examples=["workspaces/ws_01HY0000000000000000000000/documents/01HY0000000000000000000000/Acme-NDA-2026.pdf"],
    ),
]
SizeBytes = Annotated[int, Meta(ge=0, le=documents.SIZE_MAX, description="Size in bytes.", examples=[183204])]
Description = Annotated[
    str,
    Meta(
        max_length=documents.DESCRIPTION_MAX,
        pattern=_TEXT,
        description="Free text; newlines and tabs allowed.",
        examples=["Countersigned copy."],
    ),
]
Folder = Annotated[
    str,
    Meta(
        pattern=rf"^/(?:{_LEVEL}(?:/{_LEVEL}){{0,19}}/?)?$",
        description="Folder path. Missing folders are created. Absent, `null` and `/` are the root.",
        examples=["/clients/acme/ndas"],
    ),
]
Tag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=documents.TAG_MAX,
        pattern=NOT_BLANK,
        description="Text without control characters. Trimmed, and stored in NFC.",
        examples=["nda"],
    ),
]
Tags = Annotated[
    list[Tag],
    Meta(
        max_length=documents.TAGS_MAX,
        description="Tags in the order sent, without duplicates.",
        examples=[["nda", "confidentiality"]],
    ),
]
Cursor = Annotated[str, Meta(pattern=f"^{_ULID}$")]
Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$"
    ),
]
Time = Annotated[datetime, Meta(tz=True, description="UTC, whole seconds.", examples=["2026-04-17T10:45:00Z"])]
Count = Annotated[int, Meta(ge=0, description="Number of documents.")]


def seconds(at: datetime) -> datetime:
    """Return the time in whole seconds, as the API shows it."""
    return at.replace(microsecond=0)
