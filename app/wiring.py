"""Opens the service from its settings. `open_service` shows everything that is opened and started, in order."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from adapters.filesystem.disks import DATABASE, STORE, LocalDisks
from adapters.filesystem.storage import FilesystemStorage
from adapters.in_process.api_key_cache import ApiKeyCache
from adapters.in_process.api_key_uses import BufferedApiKeyUses
from adapters.in_process.deletions import QueuedDeletions
from adapters.in_process.metrics import PrometheusMetrics
from adapters.in_process.sealing import SaltedSealing
from adapters.in_process.system import Ulids, new_secret, utc_now
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.postgres.api_key_reports import api_key_changes_reported
from adapters.postgres.api_keys import PostgresApiKeys
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.embedded import open_embedded
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.migrate import migrate, pending
from adapters.postgres.pools import Pools, open_pools
from adapters.postgres.retention import PostgresRetention
from adapters.postgres.workspaces import PostgresWorkspaces
from adapters.s3.location import s3_location
from adapters.secret.derived import DerivedKeys
from adapters.secret.directory import make_private
from adapters.secret.file import read_or_create_secret
from app.jobs.generation import generation_advanced_regularly
from app.jobs.sweeper import swept_regularly
from app.settings import Settings, storage_directory
from domain.use_cases import UseCases
from domain.wording import counted
from ports import Ports
from ports.rate_limit import RateLimiter
from ports.storage import ObjectStorage, ServedStorage
from ports.system import Probe


class NotMigrated(Exception):
    """The database lacks migrations that this version needs."""


@dataclass(frozen=True, slots=True)
class Service:
    """Every port with its backend, and every use case with these ports."""

    ports: Ports
    use_cases: UseCases


@asynccontextmanager
async def open_service(settings: Settings, *, serving: bool = False, jobs: bool = False) -> AsyncIterator[Service]:
    """Open every backend that the settings name, until the end of the block.

    `serving`: open and verify the secret. A command writes no receipt and signs no URL, so it needs none. It gets a
    random one: whatever it signed or sealed by mistake would match nothing.
    `jobs`: also start the background jobs of a server. A command does not need them.

    Raises:
        Unavailable: a dependency cannot be reached.
        NotMigrated: the database lacks migrations and belongs to the operator, who runs `dossier migrate`.
        OtherSecret: the database knows another secret.
    """
    async with AsyncExitStack() as stack:
        keys = DerivedKeys.of(open_secret(settings) if serving else secrets.token_bytes(32))
        disks = local_disks(settings)
        metrics = PrometheusMetrics()
        url = await stack.enter_async_context(database_url(settings))
        pools = await stack.enter_async_context(_open_pools(settings, url))
        # At the end of the block, this waits for running creates before the database closes.
        documents = await stack.enter_async_context(
            aclosing(PostgresDocuments(pools.writes, pools.reads, utc_now, keys.receipts))
        )
        storage, served_storage = await stack.enter_async_context(open_storage(settings, keys.signed_urls))
        limiter, limiter_probes = await stack.enter_async_context(_open_limiter(settings, metrics.count_fallback))
        api_keys = PostgresApiKeys(pools.writes, pools.reads, utc_now, keys.receipts)
        api_key_cache = await stack.enter_async_context(aclosing(ApiKeyCache(api_keys)))
        api_key_uses = BufferedApiKeyUses(PostgresApiKeys(pools.jobs, pools.reads, utc_now, keys.receipts))
        deletions = QueuedDeletions(storage)
        ports = Ports(
            workspaces=PostgresWorkspaces(pools.jobs),
            api_keys=api_keys,
            api_key_lookup=api_key_cache,
            api_key_uses=api_key_uses,
            documents=documents,
            storage=storage,
            served_storage=served_storage,
            deletions=deletions,
            disks=disks,
            ledger=PostgresLedger(pools.writes),
            retention=PostgresRetention(pools.jobs),
            deployments=PostgresDeployments(pools.jobs),
            limiter=limiter,
            metrics=metrics,
            sealing=SaltedSealing(keys.sealing),
            now=utc_now,
            new_id=Ulids(),
            new_secret=new_secret,
            probes={"database": pools.writes.probe, "storage": storage.probe},
            # Without room for uploads, downloads and lists still work.
            optional_probes={**limiter_probes, **({"disk space": disks.probe} if disks.floor_bytes else {})},
        )
        use_cases = UseCases.of(ports, settings.plans, settings.uploads, settings.events_kept)
        if serving:
            await use_cases.verify_secret(keys.check)
        if jobs:
            # The same use cases on the connections of the jobs.
            work = UseCases.of(
                replace(ports, ledger=PostgresLedger(pools.jobs)),
                settings.plans,
                settings.uploads,
                settings.events_kept,
            )
            await stack.enter_async_context(generation_advanced_regularly(work.advance_generation))
            await stack.enter_async_context(swept_regularly(work.sweep))
            await stack.enter_async_context(api_key_uses.written_regularly())
            await stack.enter_async_context(deletions.performed())
            await stack.enter_async_context(api_key_changes_reported(url, pools.jobs, api_key_cache))
        yield Service(ports, use_cases)


def open_secret(settings: Settings) -> bytes:
    """Return the secret of the settings, or that of the data directory, which is created if there is none.

    Raises:
        Unavailable: the file in the data directory cannot be used.
    """
    if settings.secret:
        return settings.secret.encode()
    make_private(settings.data_dir)
    return read_or_create_secret(secret_file(settings))


def secret_file(settings: Settings) -> Path:
    """Return the file that holds the secret if no setting does."""
    return settings.data_dir / "secret"


def local_disks(settings: Settings) -> LocalDisks:
    """Return the disks of this machine that the deployment writes to."""
    directories = {}
    if urlsplit(settings.storage_url).scheme == "file":
        directories[STORE] = storage_directory(settings.storage_url)
    if settings.is_database_embedded:
        directories[DATABASE] = settings.data_dir
    return LocalDisks(directories, settings.min_free_bytes if directories else 0)


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Yield the configured URL, or that of the embedded Postgres, which runs until the end of the block."""
    if settings.database_url is not None:
        yield settings.database_url
    else:
        make_private(settings.data_dir)
        async with open_embedded(settings.data_dir / "postgres", settings.postgres_bin) as url:
            yield url


@asynccontextmanager
async def _open_pools(settings: Settings, url: str) -> AsyncIterator[Pools]:
    async with open_pools(url) as pools:
        if missing := await pending(pools.writes):
            # Dossier migrates the embedded database by itself. An operator's own database is migrated only by
            # `dossier migrate`.
            if settings.database_url is not None:
                raise NotMigrated(
                    f"the database lacks {counted(len(missing), 'migration')}; run 'dossier migrate', then start again"
                )
            await migrate(url)
        yield pools


@asynccontextmanager
async def open_storage(
    settings: Settings, signing_key: bytes
) -> AsyncIterator[tuple[ObjectStorage, ServedStorage | None]]:
    """Yield the configured object store, and the same store as `ServedStorage` if Dossier serves its signed URLs.

    `signing_key` signs these URLs.

    Raises:
        Unavailable: the store cannot be used as the settings say.
    """
    match urlsplit(settings.storage_url).scheme:
        case "file":
            root = storage_directory(settings.storage_url)
            files = FilesystemStorage(root, settings.public_url or settings.address, signing_key)
            yield files, files
        case "s3":
            # The import is here, because the S3 client takes as long to import as everything else together.
            from adapters.s3.storage import open_s3

            async with open_s3(s3_location(settings.storage_url), utc_now) as bucket:
                yield bucket, None
        case scheme:
            raise AssertionError(f"the settings accepted the scheme {scheme}")


@asynccontextmanager
async def _open_limiter(
    settings: Settings, on_fallback: Callable[[], None]
) -> AsyncIterator[tuple[RateLimiter, Mapping[str, Probe]]]:
    """Yield the configured rate limiter and its probe, which is optional: requests are answered without Valkey too."""
    match urlsplit(settings.rate_limit_url).scheme:
        case "memory":
            yield MemoryRateLimiter(), {}
        case "valkey" | "valkeys" | "redis" | "rediss" | "valkey+unix" | "redis+unix":
            # The import is here, because the Valkey client takes long to import.
            from adapters.throttle.limiter import open_valkey_limiter

            async with open_valkey_limiter(
                settings.rate_limit_url,
                fallback=MemoryRateLimiter(),
                shares=settings.rate_limit_shares or settings.workers,
                on_fallback=on_fallback,
            ) as limiter:
                yield limiter, {"rate limit": limiter.probe}
        case scheme:
            raise AssertionError(f"the settings accepted the scheme {scheme}")
