"""The process in which `migrate` runs Piccolo: python -m adapters.postgres.upgrade.process [LAST MIGRATION]

It is a separate process, because Piccolo keeps its engine in global variables and prints to standard output.
"""

import asyncio
import os
import sys

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from adapters.postgres.database import CONNECT_SECONDS, SESSION
from adapters.postgres.piccolo_app import APP_NAME
from adapters.postgres.upgrade.forms import Unsafe
from adapters.postgres.upgrade.runner import connection_of_process
from adapters.postgres.upgrade.session import say

# The number must differ from those of all other advisory locks of this database. It is the text "dossier" in ASCII.
_LOCK = 0x646F7373696572
_POLL_SECONDS = 0.2

# With the planner's settings of the servers: without them, a batch read a whole table in which no statistics were yet.
_SESSION = SESSION | {
    "application_name": "dossier migrate",
    # An operator may have set limits for the role or the database. A step may take hours.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # If this process is killed, the server ends its statement, which releases the lock below.
    "client_connection_check_interval": "500",
}


async def main(url: str, last: str) -> int:
    """Run the pending migrations, up to the last one, and return the exit code."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, server_settings=_SESSION)
    try:
        await _take_turn(connection)
        connection_of_process.set(connection)
        result = await run_forwards(APP_NAME, last)
        return 0 if result.success else 1
    except (asyncpg.PostgresError, Unsafe) as error:
        sys.stdout.write(f"\n{type(error).__name__}: {error}\n")
        return 1
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _take_turn(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until no other process migrates this database.

    The lock belongs to the session that migrates, so it is free exactly when that session has ended, also after a kill.
    A statement that waits for it would hold a snapshot, and an index that is built concurrently would wait for that.
    """
    is_announced = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if not is_announced:
            say("another process migrates this database; waiting for it")
            is_announced = True
        await asyncio.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    os.environ["PICCOLO_CONF"] = "adapters.postgres.piccolo_conf"
    sys.exit(asyncio.run(main(os.environ["DOSSIER_DATABASE_URL"], sys.argv[1] if len(sys.argv) > 1 else "all")))
