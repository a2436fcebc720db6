"""Settings become services: the only `match` on what a deployment has chosen, and the order in which it opens."""

import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from adapters.filesystem import FilesystemStorage
from adapters.http.services import Probe, Services
from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.postgres.database import Database, open_database
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.embedded import open_embedded
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.workspaces import PostgresWorkspaces
from adapters.system import Ulids, new_secret, utc_now
from app.settings import Settings, storage_directory
from domain.access import Plan, Plans, Window
from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.get_document import GetDocument
from domain.use_cases.provision import CreateWorkspace, MintKey
from domain.use_cases.request_upload import RequestUpload
from ports.documents import DocumentRepository
from ports.keys import ApiKeys
from ports.rate_limit import RateLimiter
from ports.storage import LinkedStorage
from ports.system import Clock, NewId, NewSecret
from ports.workspaces import Workspaces


class NotMigrated(Exception):
    """The database has another schema than this version needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Every port, on whatever this deployment has chosen for it; and the rest that a use case takes."""

    workspaces: Workspaces
    keys: ApiKeys
    documents: DocumentRepository
    storage: LinkedStorage
    limiter: RateLimiter
    plans: Plans
    probes: Mapping[str, Probe]
    now: Clock
    new_id: NewId
    new_secret: NewSecret

    @property
    def create_workspace(self) -> CreateWorkspace:
        return CreateWorkspace(workspaces=self.workspaces, now=self.now, new_id=self.new_id)

    @property
    def mint_key(self) -> MintKey:
        return MintKey(
            workspaces=self.workspaces,
            keys=self.keys,
            now=self.now,
            new_id=self.new_id,
            new_secret=self.new_secret,
        )

    def services(self) -> Services:
        """The use cases that HTTP answers with."""
        return Services(
            admit=AdmitRequest(keys=self.keys, limiter=self.limiter, plans=self.plans, now=self.now),
            create_document=CreateDocument(
                documents=self.documents, storage=self.storage, now=self.now, new_id=self.new_id
            ),
            request_upload=RequestUpload(
                documents=self.documents, storage=self.storage, now=self.now, new_id=self.new_id
            ),
            get_document=GetDocument(documents=self.documents, storage=self.storage, now=self.now),
            links=self.storage,
            probes=self.probes,
            now=self.now,
            new_id=self.new_id,
        )


@asynccontextmanager
async def open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """Everything the settings name, open until the end of the block.

    Raises:
        Unavailable: a dependency is away.
        NotMigrated: the database is not of this version's schema.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_open_database(settings))
        storage = open_storage(settings)
        yield Backends(
            workspaces=PostgresWorkspaces(database),
            keys=PostgresApiKeys(database),
            documents=PostgresDocuments(database, utc_now),
            storage=storage,
            limiter=_limiter(settings),
            plans=settings.plans,
            probes={"database": database.probe, "storage": storage.probe},
            now=utc_now,
            new_id=Ulids(),
            new_secret=new_secret,
        )


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Where the database is: the one that was set, or the embedded one, running until the end of the block."""
    if settings.database_url is not None:
        yield settings.database_url
    else:
        async with open_embedded(settings.data_dir / "postgres", settings.postgres_bin) as url:
            yield url


def memory_backends(
    now: Clock = utc_now, public_url: str = "http://testserver", plans: Plans | None = None
) -> Backends:
    """Every port in memory, for tests: `build(memory_backends().services())` is the whole service."""
    workspaces = MemoryWorkspaces()
    storage = MemoryStorage(public_url)
    return Backends(
        workspaces=workspaces,
        keys=MemoryApiKeys(workspaces),
        documents=MemoryDocuments(workspaces, now),
        storage=storage,
        limiter=MemoryRateLimiter(),
        plans=plans or {plan: (Window(10, 60), Window(100, int(timedelta(days=1).total_seconds()))) for plan in Plan},
        probes={"storage": storage.probe},
        now=now,
        new_id=Ulids(),
        new_secret=new_secret,
    )


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    async with database_url(settings) as url, open_database(url) as database:
        if missing := await pending(database):
            # A database of ours is ours to change; one that an operator brought is changed when the operator says so.
            if settings.database_url is not None:
                raise NotMigrated(f"{len(missing)} migrations are pending; run 'dossier migrate', then start again")
            await migrate(url)
        yield database


def open_storage(settings: Settings) -> LinkedStorage:
    """The object store that the settings name."""
    match urlsplit(settings.storage_url).scheme:
        case "file":
            root = storage_directory(settings.storage_url)
            return FilesystemStorage(root, settings.public_url, _secret(settings))
        case scheme:
            raise AssertionError(f"settings let {scheme} through")


def _limiter(settings: Settings) -> RateLimiter:
    match urlsplit(settings.rate_limit_url).scheme:
        case "memory":
            return MemoryRateLimiter()
        case scheme:
            raise AssertionError(f"settings let {scheme} through")


def _secret(settings: Settings) -> bytes:
    """What signs our links: as set, or made once and kept where only this user reads it."""
    if settings.secret is not None:
        return settings.secret.encode()
    file = settings.data_dir / "secret"
    file.parent.mkdir(parents=True, exist_ok=True)
    made = Path(f"{file}.{os.getpid()}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_hex(32))
    try:
        # A link fails where a secret is: of many processes that start at once, one decides.
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return file.read_text().encode()
