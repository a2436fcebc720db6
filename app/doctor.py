"""The checks of `dossier doctor`, for each part of the deployment."""

import platform
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack

from adapters.filesystem.storage import is_prepared
from adapters.postgres.database import open_database
from adapters.postgres.deployments import PostgresDeployments
from adapters.postgres.migrate import is_empty, pending
from adapters.postgres.suitable import check_server
from adapters.secret.derived import DerivedKeys
from app.settings import Settings, storage_directory
from app.wiring import database_url, local_disks, open_secret, open_storage, secret_file
from domain.use_cases.generations import ForeignStore, verified_deployment
from domain.use_cases.verify_secret import OtherSecret, require_same_secret
from domain.wording import counted
from ports.checks import CheckResult, Grade
from ports.deployment import Deployments
from ports.storage import ObjectStorage
from ports.system import Unavailable

_DEPLOYMENT_UNKNOWN = CheckResult("deployment", Grade.DEGRADED, "not checked: the object store cannot be used")


async def run_checks(settings: Settings) -> Sequence[CheckResult]:
    """Return the results of all checks. The settings are valid, because `Settings.read` has accepted them."""
    async with AsyncExitStack() as stack:
        databases, deployments, is_unused = await _database(settings, stack)
        return [
            CheckResult("settings", Grade.OK, f"read; Python {platform.python_version()}, data in {settings.data_dir}"),
            *databases,
            await _secret(settings, deployments),
            *await _storage(settings, deployments, is_unused=is_unused),
            *await _disk_space(settings),
            await _rate_limit(settings),
        ]


async def _database(
    settings: Settings, stack: AsyncExitStack
) -> tuple[Sequence[CheckResult], Deployments | None, bool]:
    """Return the check results of the database, its `Deployments` if they can be read, and whether the database is
    empty."""
    kind = "embedded" if settings.database_url is None else "external"
    try:
        url = await stack.enter_async_context(database_url(settings))
        database = await stack.enter_async_context(open_database(url))
        server = await check_server(url)
        is_unused = await is_empty(database)
        if missing := await pending(database):
            # The embedded database is migrated by the next command that uses it.
            grade = Grade.OK if settings.database_url is None else Grade.FAILED
            found = f"{kind} Postgres, {counted(len(missing), 'pending migration')}; run 'dossier migrate'"
            return [CheckResult("database", grade, found), *server], None, is_unused
        found = f"{kind} Postgres, schema up to date"
        return [CheckResult("database", Grade.OK, found), *server], PostgresDeployments(database), is_unused
    except Unavailable as error:
        return [CheckResult("database", Grade.FAILED, str(error).removeprefix("database: "))], None, False


async def _secret(settings: Settings, deployments: Deployments | None) -> CheckResult:
    """Check whether the secret is the one that the database knows. Neither is created or recorded here."""
    if settings.secret is None and not secret_file(settings).exists():
        found = f"DOSSIER_SECRET is not set, and {secret_file(settings)} does not exist; a server that starts makes it"
        return CheckResult("secret", Grade.OK, found)
    if deployments is None:
        return CheckResult("secret", Grade.DEGRADED, "not checked: the database could not be read")
    try:
        check = DerivedKeys.of(open_secret(settings)).check
        known = (await deployments.read()).secret_check
        if known is None:
            return CheckResult(
                "secret", Grade.OK, "the database knows none yet; the first server that starts records it"
            )
        require_same_secret(known, check)
    except (OtherSecret, Unavailable) as error:
        return CheckResult("secret", Grade.FAILED, str(error))
    return CheckResult("secret", Grade.OK, "the one that the database knows")


async def _storage(settings: Settings, deployments: Deployments | None, *, is_unused: bool) -> Sequence[CheckResult]:
    try:
        is_missing = await _is_missing(settings)
        if is_unused and is_missing:
            # The database is empty, so a missing directory cannot have lost anything.
            found = f"{settings.storage_url} is not ready yet; 'dossier serve' makes it"
            return [CheckResult("storage", Grade.OK, found)]
        if is_missing and deployments is None:
            found = f"not checked: {settings.storage_url} does not exist, and only the database knows whether it should"
            return [CheckResult("storage", Grade.DEGRADED, found)]
        if is_missing:
            found = (
                f"{settings.storage_url} does not exist, but documents were recorded: mount it, or correct the setting"
            )
            return [CheckResult("storage", Grade.FAILED, found), _DEPLOYMENT_UNKNOWN]
        async with open_storage(settings, secrets.token_bytes(32)) as (storage, _):
            results = await storage.run_checks()
            # The first check is whether the store can be used at all.
            if results[0].grade is Grade.FAILED:
                return [*results, _DEPLOYMENT_UNKNOWN]
            return [*results, await check_deployment(storage, deployments)]
    except Unavailable as error:
        return [CheckResult("storage", Grade.FAILED, str(error))]


async def _is_missing(settings: Settings) -> bool:
    """Return whether the store is a directory that does not exist.

    Raises:
        Unavailable: the file system hangs.
    """
    url = settings.storage_url
    return url.startswith("file:") and not await is_prepared(storage_directory(url))


async def _disk_space(settings: Settings) -> Sequence[CheckResult]:
    found = await local_disks(settings).check()
    return [] if found is None else [found]


async def _rate_limit(settings: Settings) -> CheckResult:
    if settings.rate_limit_url == "memory://":
        return CheckResult("rate limit", Grade.OK, "memory://: counted in this process, forgotten at a restart")
    from adapters.throttle.valkey_check import check_valkey

    return await check_valkey(settings.rate_limit_url)


async def check_deployment(storage: ObjectStorage, deployments: Deployments | None) -> CheckResult:
    """Check whether the database and the store belong together. `deployments` is `None` if it cannot be read."""
    if deployments is None:
        return CheckResult("deployment", Grade.DEGRADED, "not checked: the database could not be read")
    try:
        if (await deployments.read()).claimed_at is None and await storage.read_mark() is None:
            return CheckResult("deployment", Grade.OK, "neither database nor store has been used yet")
        deployment = await verified_deployment(deployments, storage)
    except (ForeignStore, Unavailable) as error:
        return CheckResult("deployment", Grade.FAILED, str(error))
    swept = "never swept yet" if deployment.swept_at is None else f"last swept {deployment.swept_at:%Y-%m-%d %H:%M} UTC"
    return CheckResult("deployment", Grade.OK, f"database and store belong together ({deployment.id}), {swept}")
