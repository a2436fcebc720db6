"""The peer's tables: Dossier's tables with the same keys and constraints, as SQLAlchemy models."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base that `Base.metadata.create_all` uses."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own name and form
        int: BigInteger,
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


class Workspace(Base):
    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[UUID]
    plan: Mapped[str]
    created_at: Mapped[datetime]


class Usage(Base):
    __tablename__ = "usage"
    __table_args__ = (
        CheckConstraint("quota_bytes >= 0"),
        CheckConstraint("used_bytes >= 0"),
        CheckConstraint("documents >= 0"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    quota_bytes: Mapped[int]
    used_bytes: Mapped[int] = mapped_column(server_default="0")
    documents: Mapped[int] = mapped_column(server_default="0")
    next_seq: Mapped[int] = mapped_column(server_default="1")


class ApiKey(Base):
    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32"), Index("api_keys_digest", "digest"))

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[bytes]
    permissions: Mapped[list[str]]
    tier: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Folder(Base):
    __tablename__ = "folders"
    __table_args__ = (
        UniqueConstraint("workspace_id", "path_digest"),
        CheckConstraint("octet_length(path_digest) = 32"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(Text(collation="C"))
    path_digest: Mapped[bytes]


class StoredObject(Base):
    __tablename__ = "objects"
    __table_args__ = (
        CheckConstraint("size_bytes >= 0"),
        CheckConstraint("octet_length(sha256) = 32"),
        CheckConstraint("state IN ('recorded', 'condemned', 'gone')"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    storage_path: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    store: Mapped[str] = mapped_column(server_default="default")
    size_bytes: Mapped[int]
    sha256: Mapped[bytes | None]
    etag: Mapped[str]
    version_id: Mapped[str | None]
    document_id: Mapped[UUID]
    state: Mapped[str]


class Document(Base):
    __tablename__ = "documents"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "storage_path"], ["objects.workspace_id", "objects.storage_path"]),
        ForeignKeyConstraint(["workspace_id", "folder_id"], ["folders.workspace_id", "folders.id"]),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    mime_type: Mapped[str]
    storage_path: Mapped[str] = mapped_column(Text(collation="C"))
    folder_id: Mapped[UUID | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    search_text: Mapped[str]
    revision: Mapped[int]
    created_by: Mapped[UUID]
    created_by_key: Mapped[UUID]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Receipt(Base):
    __tablename__ = "receipts"
    __table_args__ = (CheckConstraint("octet_length(fingerprint) = 32"),)

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str]
    fingerprint: Mapped[bytes]
    facts: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime]


class Event(Base):
    __tablename__ = "events"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    document_id: Mapped[UUID]
    user_id: Mapped[UUID]
    key_id: Mapped[UUID]
    request_id: Mapped[str]
    data: Mapped[dict[str, Any] | None]
