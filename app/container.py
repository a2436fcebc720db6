"""Settings become backends: the only place that chooses between them, and the order in which they open."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from adapters.filesystem.storage import FilesystemStorage
from adapters.http.services import Probe
from adapters.key_uses import KeyUses
from adapters.memory.deployments import MemoryDeployments
from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.ledger import MemoryLedger
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.metrics import PrometheusMetrics
from adapters.postgres.database import Database, open_database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.embedded import open_embedded
from adapters.postgres.keys import PostgresApiKeys
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.workspaces import PostgresWorkspaces
from adapters.recent_keys import RecentKeys
from adapters.s3.location import s3_location
from adapters.sealing import SaltedSealing
from adapters.system import Ulids, new_secret, utc_now
from app.backends import Backends
from app.settings import Settings, storage_directory
from domain.access import Plan, Plans, Window
from ports.rate_limit import RateLimiter
from ports.storage import LinkedStorage, ObjectStorage
from ports.system import Clock, Unavailable

DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"

SECRET_MIN_LENGTH = 32


class NotMigrated(Exception):
    """The database lacks migrations that this version needs."""


@asynccontextmanager
async def open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """Everything the settings name, open until the end of the block.

    Raises:
        Unavailable: a dependency is away.
        NotMigrated: the database lacks migrations, and is not ours to change.
    """
    metrics = PrometheusMetrics()
    async with (
        _open_database(settings) as database,
        aclosing(PostgresDocuments(database, utc_now)) as documents,
        open_storage(settings) as (storage, links),
        _open_limiter(settings, metrics.count_fallback) as (limiter, optional_probes),
    ):
        keys = RecentKeys(PostgresApiKeys(database, utc_now))
        yield Backends(
            workspaces=PostgresWorkspaces(database),
            keys=keys,
            key_uses=KeyUses(keys),
            documents=documents,
            storage=storage,
            links=links,
            ledger=PostgresLedger(database),
            deployments=PostgresDeployments(database),
            limiter=limiter,
            plans=settings.plans,
            probes={"database": database.probe, "storage": storage.probe},
            optional_probes=optional_probes,
            metrics=metrics,
            now=utc_now,
            new_id=Ulids(),
            new_secret=new_secret,
            sealing=SaltedSealing(),
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
    documents = MemoryDocuments(workspaces, now)
    keys = MemoryApiKeys(workspaces, now)
    return Backends(
        workspaces=workspaces,
        keys=keys,
        key_uses=KeyUses(keys),
        documents=documents,
        storage=storage,
        links=storage,
        ledger=MemoryLedger(documents),
        deployments=MemoryDeployments(),
        limiter=MemoryRateLimiter(),
        plans=plans or {plan: (Window(10, 60), Window(100, int(timedelta(days=1).total_seconds()))) for plan in Plan},
        probes={"storage": storage.probe},
        optional_probes={},
        metrics=PrometheusMetrics(),
        now=now,
        new_id=Ulids(),
        new_secret=new_secret,
        sealing=SaltedSealing(),
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


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[tuple[ObjectStorage, LinkedStorage | None]]:
    """The object store that the settings name, twice if it has no server of its own and its links come to us.

    Raises:
        Unavailable: it cannot be used as the settings say.
    """
    match urlsplit(settings.storage_url).scheme:
        case "file":
            root = storage_directory(settings.storage_url)
            files = FilesystemStorage(root, settings.public_url or DEFAULT_PUBLIC_URL, _secret(settings))
            yield files, files
        case "s3":
            # Not for everybody: to load what speaks S3 takes as long as all the rest.
            from adapters.s3.storage import open_s3

            async with open_s3(s3_location(settings.storage_url), utc_now) as bucket:
                yield bucket, None
        case scheme:
            raise AssertionError(f"settings let {scheme} through")


@asynccontextmanager
async def _open_limiter(
    settings: Settings, on_fallback: Callable[[], None]
) -> AsyncIterator[tuple[RateLimiter, Mapping[str, Probe]]]:
    """The rate limiter that the settings name, and how to ask it; requests are answered while it is away, too."""
    match urlsplit(settings.rate_limit_url).scheme:
        case "memory":
            yield MemoryRateLimiter(), {}
        case "valkey" | "valkeys" | "redis" | "rediss" | "valkey+unix" | "redis+unix":
            # Not for everybody: its client takes a while to load.
            from adapters.throttle.limiter import open_valkey_limiter

            async with open_valkey_limiter(
                settings.rate_limit_url,
                fallback=MemoryRateLimiter(),
                shares=settings.rate_limit_shares or settings.workers,
                on_fallback=on_fallback,
            ) as limiter:
                yield limiter, {"rate limit": limiter.probe}
        case scheme:
            raise AssertionError(f"settings let {scheme} through")


def _secret(settings: Settings) -> bytes:
    """What signs our links: as set, or made once and kept where only this user reads it."""
    if settings.secret is not None:
        return settings.secret.encode()
    file = settings.data_dir / "secret"
    try:
        _keep_if_absent(file, secrets.token_hex(32))
        secret = file.read_text()
    except OSError as error:
        raise Unavailable(f"cannot use {file}: {error}") from error
    if len(secret) < SECRET_MIN_LENGTH:
        raise Unavailable(f"{file} does not hold a secret; remove it, and a new one is made")
    return secret.encode()


def _keep_if_absent(file: Path, text: str) -> None:
    """Write a private file, whole and durably, unless it is there: of many that try at once, one decides."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".secret-") as made:  # mode 0600
        made.write(text)
        made.flush()
        os.fsync(made.fileno())
        with suppress(FileExistsError):
            os.link(made.name, file)
