"""Documents and the rules for their members, as the API contract states them."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.ids import ApiKeyId, DocumentId, UserId, WorkspaceId
from domain.members import OMITTED, Form, Members, Omitted, RuleViolation, or_null
from domain.paths import FolderPath, StoragePath, folder_path, storage_path
from domain.text import label, line, lines, string

NAME_MAX = 255
MIME_TYPE_MAX = 255
DESCRIPTION_MAX = 4096
TAGS_MAX = 50
TAG_MAX = 64
SIZE_MAX = 2**63 - 1

SIGNED_URL_LIFETIME = timedelta(minutes=15)
"""The time for which a signed upload or download URL works."""

# RFC 6838 4.2: restricted names of at most 127 characters; RFC 9110 5.6.6: parameters.
_RESTRICTED = r"[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}"
_PARAMETER = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"'
# Browsers write `codecs=vp8,opus` without quotes, which the grammar does not allow.
_VALUE = r"[A-Za-z0-9!#$%&'*+\-.^_`|~,]+"
MEDIA_TYPE = rf"{_RESTRICTED}/{_RESTRICTED}(?:[ \t]*;[ \t]*{_PARAMETER}=(?:{_VALUE}|{_QUOTED}))*"
"""The syntax of a media type, as a regular expression with the same meaning in every dialect."""
_MEDIA_TYPE = re.compile(MEDIA_TYPE, re.ASCII)
_PARAMETER_OF = re.compile(rf"({_PARAMETER})(=(?:{_VALUE}|{_QUOTED}))", re.ASCII)
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as the store reports it. With these values, Dossier can detect later whether the bytes at the path have
    changed.

    `sha256` (lower-case hex) and `version_id` are `None` if the store does not report them. `etag` is opaque.
    """

    size_bytes: int
    etag: str
    sha256: str | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A recorded document.

    `stored` is the object as it was when the document was recorded. Times are UTC. `revision` is 1 for a new record. It
    grows by 1 with every change of the record, and with every entity link that is added or removed.
    """

    id: DocumentId
    workspace_id: WorkspaceId
    name: str
    description: str | None
    mime_type: str
    storage_path: StoragePath
    stored: StoredObject
    folder: FolderPath | None
    tags: tuple[str, ...]
    revision: int
    created_by: UserId
    created_by_key: ApiKeyId
    created_at: datetime
    updated_at: datetime

    @property
    def state(self) -> str:
        """Return the document state: a short text that changes with everything that a read of the document shows.

        It is the document's ETag. It contains a digest of the folder's path, because the move of a folder changes only
        rows of folders: to change the revision of every document below would need one write for each. A digest of 64
        bits is enough, because a client compares only states of one document.
        """
        if self.folder is None:
            return str(self.revision)
        return f"{self.revision}-{hashlib.sha256(self.folder.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document that a client wants to record. Its members are valid; the object has not been looked up yet."""

    name: str
    mime_type: str
    storage_path: StoragePath
    size_bytes: int | None
    description: str | None
    folder: FolderPath | None
    tags: tuple[str, ...]

    @classmethod
    def read(cls, members: Members, workspace: WorkspaceId) -> "Draft":
        """Read the members of a request.

        Raises:
            Invalid: naming every invalid member.
        """
        form = Form(members)
        draft = cls(
            name=form.required("name", name),
            mime_type=form.required("mime_type", mime_type),
            storage_path=form.required("storage_path", lambda value: storage_path(value, workspace)),
            size_bytes=form.optional("size_bytes", size_bytes),
            description=form.optional("description", description),
            folder=form.optional("folder", folder_path),
            tags=form.optional("tags", tags) or (),
        )
        form.finish()
        return draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes that a client wants to make to a document. A field that is `OMITTED` is not changed."""

    name: str | Omitted = OMITTED
    description: str | Omitted | None = OMITTED
    folder: FolderPath | Omitted | None = OMITTED
    tags: tuple[str, ...] | Omitted = OMITTED
    mime_type: str | Omitted = OMITTED

    @classmethod
    def read(cls, members: Members) -> "Changes":
        """Read the members of a request. `null` clears an optional member.

        Raises:
            Invalid: naming every invalid member.
        """
        form = Form(members)
        changes = cls(
            name=form.sent("name", name),
            description=form.sent("description", or_null(description)),
            folder=form.sent("folder", or_null(folder_path)),
            tags=form.sent("tags", lambda value: () if value is None else tags(value)),
            mime_type=form.sent("mime_type", mime_type),
        )
        form.finish()
        return changes

    def applied_to(self, document: Document, at: datetime) -> Document:
        """Return the changed document, with the next revision; the same document if nothing differs.

        `updated_at` never decreases, even if the clock does.
        """
        changed = replace(
            document,
            name=document.name if self.name is OMITTED else self.name,
            description=document.description if self.description is OMITTED else self.description,
            folder=document.folder if self.folder is OMITTED else self.folder,
            tags=document.tags if self.tags is OMITTED else self.tags,
            mime_type=document.mime_type if self.mime_type is OMITTED else self.mime_type,
        )
        if changed == document:
            return document
        return replace(changed, revision=document.revision + 1, updated_at=max(at, document.updated_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadDraft:
    """A file that a client wants to upload. Size in bytes; `sha256` in lower-case hex."""

    name: str
    mime_type: str
    size_bytes: int | None
    sha256: str | None

    @classmethod
    def read(cls, members: Members) -> "UploadDraft":
        """Read the members of a request.

        Raises:
            Invalid: naming every invalid member.
        """
        form = Form(members)
        draft = cls(
            name=form.required("name", name),
            mime_type=form.required("mime_type", mime_type),
            size_bytes=form.optional("size_bytes", size_bytes),
            sha256=form.optional("sha256", sha256),
        )
        form.finish()
        return draft


def name(value: object) -> str:
    """Return a display name: 1 to 255 characters, not blank, without control characters."""
    return line(value, most=NAME_MAX)


def description(value: object) -> str:
    """Return a text of any number of lines, which may be empty."""
    return lines(value, most=DESCRIPTION_MAX)


def mime_type(value: object) -> str:
    """Return a media type in the syntax of RFC 6838, with optional parameters.

    The type need not be registered. The result is in lower case, except for the values of parameters (RFC 9110 8.3.1),
    and has one space after each semicolon. So equal media types have one form.
    """
    text = string(value)
    if len(text) > MIME_TYPE_MAX:
        raise RuleViolation(f"must have at most {MIME_TYPE_MAX} characters")
    if not _MEDIA_TYPE.fullmatch(text):
        raise RuleViolation("must be a media type such as application/pdf")
    essence, semicolon, rest = text.partition(";")
    if not semicolon:
        return essence.lower()
    parts = [essence.rstrip().lower(), *(name.lower() + value for name, value in _PARAMETER_OF.findall(rest))]
    spaced = "; ".join(parts)
    # A form with more characters than a client may send would be refused when the client sends it back.
    return spaced if len(spaced) <= MIME_TYPE_MAX else ";".join(parts)


def is_same_media_type(one: str, other: str) -> bool:
    """Return whether two media types are equal, ignoring letter case and white space around parameters."""
    return _normalised(one) == _normalised(other)


def _normalised(text: str) -> str:
    try:
        return mime_type(text.strip())
    except RuleViolation:
        return text


def size_bytes(value: object) -> int:
    """Return a size in bytes that fits into a signed 64-bit integer."""
    # JSON has one kind of number: 6.0 is an integer too, and some encoders write it (RFC 8259 6).
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # In Python, bool is a subclass of int.
    if not isinstance(value, int) or isinstance(value, bool):
        raise RuleViolation("must be an integer")
    if not 0 <= value <= SIZE_MAX:
        raise RuleViolation(f"must be 0 to {SIZE_MAX}")
    return value


def tags(value: object) -> tuple[str, ...]:
    """Return the tags in the order sent, trimmed and in NFC, without duplicates."""
    if not isinstance(value, list | tuple):
        raise RuleViolation("must be an array of strings")
    distinct: dict[str, None] = {}
    # Duplicates are dropped first, and reading stops at the first tag over the limit, because a body can contain 30,000
    # tags.
    for text in dict.fromkeys(map(_tag_text, value)):
        distinct[_tag(text)] = None
        if len(distinct) > TAGS_MAX:
            raise RuleViolation(f"must have at most {TAGS_MAX} tags")
    return tuple(distinct)


def _tag_text(value: object) -> str:
    if not isinstance(value, str):
        raise RuleViolation("must be an array of strings")
    return value


def _tag(text: str) -> str:
    try:
        return label(text, most=TAG_MAX)
    except RuleViolation as wrong:
        raise RuleViolation(f"has a tag that {wrong}") from None


def sha256(value: object) -> str:
    """Return a SHA-256 in lower case, given as 64 hex digits of either case."""
    text = string(value)
    if not _SHA256.fullmatch(text):
        raise RuleViolation("must be 64 hexadecimal digits")
    return text.lower()
