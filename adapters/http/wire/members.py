"""Types of members that several bodies have, with their limits and descriptions.

A `maxLength` is the limit of the stored text: Dossier trims and normalises (NFC) a text before it counts the
characters. Patterns are in `patterns.py`.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from adapters.http.wire import patterns
from domain import documents
from domain.pages import TIME_MAX
from domain.paths import FOLDER_LEVEL_MAX, FOLDER_LEVELS_MAX, FOLDER_PATH_MAX_BYTES, STORAGE_PATH_MAX_BYTES

URL_MAX = 16 * 1024
"""The most characters of a signed URL: at most 9,000 for the path and the file name, and the rest for a session
token."""


def int32(description: str, *, ge: int, le: int = 2**31 - 1) -> Meta:
    """Return the limits of a number that never exceeds 32 bits."""
    return Meta(ge=ge, le=le, description=description, extra_json_schema={"format": "int32"})


def int64(description: str, *, le: int = 2**63 - 1, examples: list[int] | None = None) -> Meta:
    """Return the limits of a number from 0 that can exceed 32 bits.

    Without the format, generators of Java, Go, Rust and Kotlin clients choose an integer of 32 bits.
    """
    return Meta(ge=0, le=le, description=description, examples=examples, extra_json_schema={"format": "int64"})


def _id(prefix: str, of: str) -> Meta:
    return Meta(
        max_length=len(prefix) + 27,
        pattern=f"^{prefix}_{patterns.ULID}$",
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
        pattern=patterns.NOT_BLANK,
        description="Display name of the document: not blank, no control characters, no bidirectional overrides. "
        "Stored in NFC.",
        examples=["Acme-NDA-2026.pdf"],
    ),
]
MimeType = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=documents.MIME_TYPE_MAX,
        pattern=f"^{documents.MEDIA_TYPE}$",
        description="Media type in the syntax of RFC 6838, parameters allowed. Stored in lower case, but for the "
        "values of parameters, and with one space after each semicolon.",
        examples=["application/pdf"],
    ),
]
StoragePath = Annotated[
    str,
    Meta(
        max_length=STORAGE_PATH_MAX_BYTES,
        pattern=patterns.STORAGE_PATH,
        description="Key of the uploaded object in the store, under `workspaces/<your workspace>/`. No segment of it "
        "has more than 255 characters.",
        examples=["workspaces/ws_01HY0000000000000000000000/documents/01HY0000000000000000000000/Acme-NDA-2026.pdf"],
    ),
]
SizeBytes = Annotated[int, int64("Size in bytes.", le=documents.SIZE_MAX, examples=[183204])]
Description = Annotated[
    str,
    Meta(
        max_length=documents.DESCRIPTION_MAX,
        pattern=patterns.LINES,
        description="Free text; newlines and tabs allowed, bidirectional overrides are not. Stored in NFC, every "
        "line end as LF.",
        examples=["Countersigned copy."],
    ),
]
# Every character has at least one byte, and a client may send one more slash at the end.
_FOLDER_MAX = FOLDER_PATH_MAX_BYTES + 1
Folder = Annotated[
    str,
    Meta(
        max_length=_FOLDER_MAX,
        pattern=patterns.FOLDER,
        description=f"Folder path: at most {FOLDER_LEVELS_MAX} levels, each a text as of a tag, of at most "
        f"{FOLDER_LEVEL_MAX} characters, neither `.` nor `..`; together at most {FOLDER_PATH_MAX_BYTES} bytes in "
        "UTF-8. Missing folders are created. Absent, `null` and `/` are the root.",
        examples=["/clients/acme/ndas"],
    ),
]
Subfolder = Annotated[
    str,
    Meta(
        max_length=_FOLDER_MAX,
        pattern=patterns.SUBFOLDER,
        description="Path of a folder that is not the root.",
        examples=["/clients/acme"],
    ),
]
Tag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=documents.TAG_MAX,
        pattern=patterns.LABEL,
        description="Text without control characters and invisible characters. Trimmed, and stored in NFC.",
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
Cursor = Annotated[str, Meta(max_length=26, pattern=f"^{patterns.ULID}$", examples=["01HY0000000000000000000000"])]
Sha256 = Annotated[
    str,
    Meta(
        max_length=64,
        pattern="^[0-9A-Fa-f]{64}$",
        description="SHA-256 of the bytes, 64 hex digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Timestamp = Annotated[str, Meta(max_length=TIME_MAX, pattern=patterns.TIME_OR_DATE)]
Time = Annotated[
    datetime,
    Meta(
        tz=True,
        description="UTC, whole seconds.",
        examples=["2026-04-17T10:45:00Z"],
        extra_json_schema={"maxLength": len("2026-04-17T10:45:00Z")},
    ),
]
ExpiresAt = Annotated[
    datetime,
    Meta(
        tz=True,
        description="A time in the future, with its offset from UTC.",
        examples=["2099-12-31T23:59:59Z"],
        extra_json_schema={"maxLength": TIME_MAX},
    ),
]
SignedUrl = Annotated[str, Meta(max_length=URL_MAX, pattern="^https?://.+$")]
Count = Annotated[int, int64("Number of documents.")]


def seconds(at: datetime) -> datetime:
    """Return the time in whole seconds, as the API shows it."""
    return at.replace(microsecond=0)
