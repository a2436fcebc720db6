"""Dossier's main routes as a plain service: FastAPI, SQLAlchemy 2 and asyncpg, one transaction per request.

A create records the same facts in the same tables and decides in the same order under the same lock, so it is as
correct as Dossier's when requests race. There are no rate limits and retries, which would cost time, and an upload URL
checks the quota but reserves nothing. These choices make the service faster: statements are built once, not in each
request; CTEs replace a flush that sends one statement per table; reads need no transaction. A pool of 32 was as fast
as one of 8 or 16.
"""

import gc
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.peers import bodies
from bench.peers import statements as sql
from bench.peers.tables import Base

engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=bodies.POOL_SIZE, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
# Without BEGIN and ROLLBACK around one statement.
reading_sessions = async_sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    # Dossier freezes its objects after its start too.
    gc.collect()
    gc.freeze()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def open_reading_session() -> AsyncIterator[AsyncSession]:
    async with reading_sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]
ReadingSession = Annotated[AsyncSession, Depends(open_reading_session)]
Authorization = Annotated[str, Header()]


async def writer(session: Session, authorization: Authorization = "") -> Any:
    """Return the row of the API key that the request presents, which may write."""
    return await authenticate(session, authorization, "write:documents")


async def asker(session: ReadingSession, authorization: Authorization = "") -> Any:
    """Return the row of the API key that the request presents, which may write; the request itself records nothing."""
    return await authenticate(session, authorization, "write:documents")


async def reader(session: ReadingSession, authorization: Authorization = "") -> Any:
    """Return the row of the API key that the request presents, which may read."""
    return await authenticate(session, authorization, "read:documents")


async def authenticate(session: AsyncSession, authorization: str, permission: str) -> Any:
    digest = bodies.bearer_digest(authorization)
    key = (await session.execute(sql.KEY, sql.as_parameters({"digest": digest}))).one_or_none()
    bodies.require(key, permission)
    return key


@app.get("/v1/documents/{document_id}")
async def read_document(
    document_id: str, session: ReadingSession, key: Annotated[Any, Depends(reader)], *, download: bool = True
) -> bodies.DetailEnvelope:
    """Return a document, by default with a signed URL of its bytes."""
    sought = {"workspace_id": key.workspace_id, "id": bodies.parse_id(document_id)}
    row = (await session.execute(sql.READ, sql.as_parameters(sought))).one_or_none()
    if row is None:
        raise HTTPException(404, "not_found")
    return bodies.detail(row, download=download)


@app.get("/v1/documents")
async def list_documents(
    session: ReadingSession,
    key: Annotated[Any, Depends(reader)],
    page: Annotated[int, Query(ge=1)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 25,
) -> bodies.ListEnvelope:
    """Return a page of the documents, newest first. The total is the one that each create counts."""
    home = {"workspace_id": key.workspace_id}
    sought = home | {"skip": (page - 1) * per_page, "size": per_page}
    usage = (await session.execute(sql.USAGE, sql.as_parameters(home))).one()
    rows = (await session.execute(sql.LIST, sql.as_parameters(sought))).all()
    return bodies.ListEnvelope(
        data=bodies.Documents(documents=[bodies.DocumentOut(**bodies.members(row)) for row in rows]),
        meta=bodies.Meta(page=page, per_page=per_page, total=usage.documents),
    )


@app.post("/v1/documents/upload-url")
async def request_upload(
    body: bodies.UploadIn, session: ReadingSession, key: Annotated[Any, Depends(asker)]
) -> bodies.UploadEnvelope:
    """Return a signed URL for a new path, if the size fits the quota."""
    if body.size_bytes:
        home = {"workspace_id": key.workspace_id}
        usage = (await session.execute(sql.USAGE, sql.as_parameters(home))).one()
        if body.size_bytes > usage.quota_bytes - usage.used_bytes:
            raise HTTPException(413, "quota_exceeded")
    return bodies.upload(body, bodies.prefixed("ws_", key.workspace_id))


@app.post("/v1/documents", status_code=201)
async def create_document(
    body: bodies.DocumentIn,
    response: Response,
    session: Session,
    key: Annotated[Any, Depends(writer)],
    idempotency_key: Annotated[UUID | None, Header()] = None,
) -> bodies.Envelope:
    """Record a document whose bytes are already stored."""
    stored = bodies.look_at_file(body, bodies.prefixed("ws_", key.workspace_id))
    at, id_ = datetime.now(UTC), bodies.new_id()
    fingerprint = bodies.fingerprint(body)
    home = {"workspace_id": key.workspace_id}

    usage = (await session.execute(sql.LOCK_USAGE, sql.as_parameters(home))).one()
    if idempotency_key is not None:
        sought = home | {"key": idempotency_key, "at": at}
        if receipt := (await session.execute(sql.FIND_RECEIPT, sql.as_parameters(sought))).one_or_none():
            if (receipt.operation, receipt.fingerprint) != (bodies.OPERATION, fingerprint):
                raise HTTPException(409, "idempotency_mismatch")
            response.headers["Idempotent-Replayed"] = "true"
            return bodies.Envelope(data=bodies.DocumentOut.model_validate(receipt.facts))
    path = home | {"storage_path": body.storage_path}
    if (await session.execute(sql.FIND_PATH, sql.as_parameters(path))).one_or_none() is not None:
        raise HTTPException(409, "storage_conflict")
    if stored["size_bytes"] > usage.quota_bytes - usage.used_bytes:
        raise HTTPException(413, "quota_exceeded")

    folders = [
        home | {"id": bodies.new_id(), "path": folder, "path_digest": hashlib.sha256(folder.encode()).digest()}
        for folder in bodies.ancestors(body.folder)
    ]
    if folders:
        await session.execute(sql.ADD_FOLDERS, folders)
    document = bodies.recorded(body, id_, stored["size_bytes"], key.user_id, at)
    facts = (
        home
        | stored
        | {
            "id": id_,
            "name": body.name,
            "description": body.description,
            "mime_type": body.mime_type,
            "storage_path": body.storage_path,
            "folder_digest": folders[-1]["path_digest"] if folders else None,
            "tags": body.tags,
            "search_text": f"{body.name}\n{body.description or ''}".casefold(),
            "created_by": key.user_id,
            "created_by_key": key.id,
            "at": at,
        }
    )
    await session.execute(sql.ADD_DOCUMENT, sql.as_parameters(facts))
    charge = facts | {"seq": usage.next_seq, "request_id": f"req_{bodies.new_id().hex}"}
    if idempotency_key is None:
        await session.execute(sql.CHARGE, sql.as_parameters(charge))
    else:
        receipt_facts = {
            "key": idempotency_key,
            "operation": bodies.OPERATION,
            "fingerprint": fingerprint,
            "facts": document.model_dump(mode="json"),
            "expires_at": at + bodies.RECEIPT_LIFETIME,
        }
        await session.execute(sql.CHARGE_WITH_RECEIPT, sql.as_parameters(charge | receipt_facts))
    await session.commit()
    response.headers["Location"] = f"/v1/documents/{document.id}"
    return bodies.Envelope(data=document)
