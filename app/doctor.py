"""`dossier doctor`: look at each part of a deployment and say what is found."""

import platform
from dataclasses import dataclass

from adapters.postgres.database import open_database
from adapters.postgres.migrate import is_empty, pending
from app.container import database_url, open_storage
from app.settings import Settings, storage_directory
from ports.system import Unavailable


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, whether it is well, and what was found."""

    check: str
    ok: bool
    found: str


async def examine(settings: Settings) -> list[Finding]:
    """Every finding; the settings themselves are right, or there would be none."""
    database, is_unused = await _database(settings)
    return [
        Finding("settings", True, f"read; Python {platform.python_version()}, data in {settings.data_dir}"),
        database,
        await _storage(settings, is_unused=is_unused),
        Finding("rate limit", True, f"{settings.rate_limit_url}: counted in this process, forgotten at a restart"),
    ]


async def _database(settings: Settings) -> tuple[Finding, bool]:
    """The finding, and whether nothing has ever been recorded there."""
    kind = "embedded" if settings.database_url is None else "external"
    try:
        async with database_url(settings) as url, open_database(url) as database:
            version = (await database.fetch("SHOW server_version"))[0]["server_version"]
            is_unused = await is_empty(database)
            if missing := await pending(database):
                # The embedded one is migrated by whoever uses it next.
                found = f"{kind} Postgres {version}, {len(missing)} migrations pending; run 'dossier migrate'"
                return Finding("database", settings.database_url is None, found), is_unused
            return Finding("database", True, f"{kind} Postgres {version}, schema up to date"), is_unused
    except Unavailable as error:
        return Finding("database", False, str(error)), False


async def _storage(settings: Settings, *, is_unused: bool) -> Finding:
    try:
        await open_storage(settings).probe()
    except Unavailable as error:
        if is_unused and not storage_directory(settings.storage_url).exists():
            # Nothing can be lost yet.
            return Finding("storage", True, f"{settings.storage_url} is not ready yet; 'dossier serve' makes it")
        return Finding("storage", False, str(error))
    return Finding("storage", True, f"{settings.storage_url} takes files")
