"""Checks whether a Postgres server and its settings suffice for what Dossier promises. Each result names the remedy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from adapters.postgres.database import CONNECT_SECONDS, SESSION, connection_problem
from ports.checks import CheckResult, Grade
from ports.system import Unavailable

OLDEST_VERSION = 15
OLD = timedelta(hours=1)
"""From this age on, a snapshot that holds back vacuum is reported."""

_TRIGRAMS = "SELECT array_length(show_trgm('договор'), 1)"
_HAS_EXTENSION = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')"
_CREATE = "create another one with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"

_RISKS = {
    "fsync": "if the machine stops, the whole database may be damaged",
    "full_page_writes": "if the machine stops, pages of the database may be damaged",
    "synchronous_commit": "if the server stops, documents that were acknowledged within the last second are lost",
}
"""The settings that must not be off, and what they put at risk."""

# Other users' sessions are visible only to members of pg_read_all_stats.
_HOLD_BACK = """
SELECT format('the transaction of process %s (%s, user %s)', pid, coalesce(nullif(application_name, ''), backend_type),
        usename) AS what,
    now() - xact_start AS age, format('SELECT pg_terminate_backend(%s)', pid) AS remedy
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND now() - xact_start > $1
UNION ALL
SELECT format('the prepared transaction %L', gid), now() - prepared, format('COMMIT or ROLLBACK PREPARED %L', gid)
FROM pg_prepared_xacts WHERE database = current_database() AND now() - prepared > $1
UNION ALL
SELECT format('the replication slot %L, which nothing reads', slot_name), NULL,
    format('if its reader is gone, SELECT pg_drop_replication_slot(%L)', slot_name)
FROM pg_replication_slots WHERE NOT active AND NOT temporary
ORDER BY age DESC NULLS LAST
"""
_SEES_ALL = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"


async def check_server(url: str, old: timedelta = OLD) -> Sequence[CheckResult]:
    """Return the results of all checks, in the session that Dossier itself uses.

    Raises:
        Unavailable: the server does not answer.
    """
    async with _connected(url) as connection:
        results = [await check(connection) for check in _REQUIRED]
        return [*results, await _durability(connection), await _snapshots(connection, old)]


async def require_suitable(url: str) -> None:
    """Return if the version, the encoding and the locale of the database suffice.

    Raises:
        Unavailable: they do not, or the server does not answer. The message names the remedy.
    """
    async with _connected(url) as connection:
        results = [await check(connection) for check in _REQUIRED]
    refused = [f"{result.check}: {result.found}" for result in results if result.grade is Grade.FAILED]
    if refused:
        raise Unavailable("\n".join(refused))


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, server_settings=SESSION)
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"database: {connection_problem(error)}") from error


async def _version(connection: Any) -> CheckResult:
    number, version = await connection.fetchrow(
        "SELECT current_setting('server_version_num')::integer / 10000, current_setting('server_version')"
    )
    if number < OLDEST_VERSION:
        found = f"{version}, but Dossier needs Postgres {OLDEST_VERSION} or newer; update the server"
        return CheckResult("database version", Grade.FAILED, found)
    return CheckResult("database version", Grade.OK, f"Postgres {version}")


async def _encoding(connection: Any) -> CheckResult:
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        found = f"{encoding}, so the database cannot store every text; {_CREATE}"
        return CheckResult("database encoding", Grade.FAILED, found)
    return CheckResult("database encoding", Grade.OK, encoding)


async def _locale(connection: Any) -> CheckResult:
    """Check by the question that a search asks: no setting says which letters the extension pg_trgm knows."""
    locale = await connection.fetchval("SELECT datctype FROM pg_database WHERE datname = current_database()")
    if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
        return CheckResult("database locale", Grade.DEGRADED, f"not checked: the encoding is {encoding}")
    is_used = await connection.fetchval("SELECT to_regclass('workspaces') IS NOT NULL")
    transaction = connection.transaction()
    await transaction.start()
    try:
        if not await connection.fetchval(_HAS_EXTENSION):
            # The first migration creates it.
            await connection.execute("CREATE EXTENSION pg_trgm")
        trigrams = await connection.fetchval(_TRIGRAMS)
    except asyncpg.InsufficientPrivilegeError as error:
        found = f"{error}; as a superuser, run CREATE EXTENSION pg_trgm in this database"
        return CheckResult("database locale", Grade.FAILED, found)
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        found = f"{error}; install the extensions that come with Postgres (postgresql-contrib)"
        return CheckResult("database locale", Grade.FAILED, found)
    finally:
        await transaction.rollback()
    if trigrams is None:
        found = (
            f"with LC_CTYPE {locale}, the index of searched texts knows only ASCII letters, so a search for other "
            f"words reads all documents of a workspace; {_CREATE}, and restore a dump into it if this one has documents"
        )
        return CheckResult("database locale", Grade.DEGRADED if is_used else Grade.FAILED, found)
    return CheckResult("database locale", Grade.OK, f"{locale}, in which every letter can be searched")


_REQUIRED = (_version, _encoding, _locale)


async def _durability(connection: Any) -> CheckResult:
    off = [
        f"{name} is off: {risk}; set it to on in postgresql.conf, and reset it for the role and the database"
        for name, risk in _RISKS.items()
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if off:
        return CheckResult("database durability", Grade.FAILED, "; ".join(off))
    return CheckResult("database durability", Grade.OK, f"{', '.join(_RISKS)} are on")


async def _snapshots(connection: Any, old: timedelta) -> CheckResult:
    rows = await connection.fetch(_HOLD_BACK, old)
    found = []
    for what, age, remedy in rows:
        since = "" if age is None else f", open for {_readable(age)}"
        found.append(f"{what}{since}: {remedy}")
    if found:
        return CheckResult(
            "database snapshots",
            Grade.DEGRADED,
            f"vacuum cannot remove old rows, so tables and disk use grow; end what is not needed: {'; '.join(found)}",
        )
    unseen = (
        ""
        if await connection.fetchval(_SEES_ALL)
        else ("; sessions of other users were not checked: GRANT pg_read_all_stats to the user of Dossier")
    )
    return CheckResult("database snapshots", Grade.OK, f"none is older than {_readable(old)}{unseen}")


def _readable(age: timedelta) -> str:
    return str(timedelta(seconds=int(age.total_seconds())))
