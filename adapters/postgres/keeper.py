"""The process that keeps the embedded Postgres running while it has users: `embedded.py` says how that is known.

python -m adapters.postgres.keeper DIRECTORY SOCKETS BINARIES [OPTION…]
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO

USER = "dossier"
DATA = "data"
USERS_LOCK = "users.lock"
KEEPER_LOCK = "keeper.lock"
KEEPER_LOG = "keeper.log"
SERVER_PID = "server.pid"
STOP_SECONDS = 60
POLL_SECONDS = 0.05
RESTARTS = 5
"""How often a server that ends by itself is started again before the keeper gives up."""

_PR_SET_PDEATHSIG = 1


def try_lock(file: IO[str], operation: int) -> bool:
    """Take a lock (`LOCK_SH` or `LOCK_EX`) if that is possible at once."""
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether some process has the lock for itself."""
    with path.open("w") as file:
        return not try_lock(file, fcntl.LOCK_EX)


def main(directory: Path, sockets: Path, binaries: Path, options: Sequence[str]) -> None:
    """Run Postgres until nobody uses it any more."""
    with (
        # Opened first, so closed last: whoever gets this lock after us finds the keeper's free.
        (directory / USERS_LOCK).open("w") as users,
        (directory / "postgres.lock").open("w") as postgres,
        (directory / KEEPER_LOCK).open("w") as keeper,
    ):
        fcntl.flock(keeper, fcntl.LOCK_EX)
        # Every process of a server inherits this lock: so it is free once the last of them has ended, even when the
        # keeper before us was killed and its server is still on its way down.
        fcntl.flock(postgres, fcntl.LOCK_EX)
        # No server of these data runs, then. After a power cut, the number in this file may be another program's now,
        # and Postgres would wait for that.
        (directory / DATA / "postmaster.pid").unlink(missing_ok=True)
        _make_cluster(directory, binaries)
        # Only the end of the last user ends us. A service manager that stops all of a service's processes at once would
        # otherwise take the database from a server that still answers what it has accepted.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(RESTARTS):
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", directory / DATA, "-k", sockets),
                    *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", *options),
                ],
                pass_fds=[postgres.fileno()],
                preexec_fn=partial(_die_with, os.getpid()),
            )
            (directory / SERVER_PID).write_text(str(server.pid))
            try:
                while server.poll() is None:
                    if try_lock(users, fcntl.LOCK_EX):
                        return  # the last user has gone
                    time.sleep(POLL_SECONDS)
            finally:
                _stop(server)
            # It ended by itself. What it left running, if anything, ends with it.
            time.sleep(POLL_SECONDS)
        sys.exit(f"Postgres ended by itself {RESTARTS} times")


def _make_cluster(directory: Path, binaries: Path) -> None:
    data = directory / DATA
    if data.exists():
        _check_version(data, binaries)
        return
    # Made under another name first: a half-made cluster never has the right one.
    unfinished = directory / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    made = subprocess.run(
        [
            *(binaries / "initdb", "--pgdata", unfinished, "--username", USER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        ],
        check=False,
    )
    if made.returncode != 0:
        sys.exit("initdb failed")
    unfinished.rename(data)


def _check_version(data: Path, binaries: Path) -> None:
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        sys.exit(f"{data} holds no data of Postgres: {error.strerror}. Move it away, or set DOSSIER_DATA_DIR.")
    answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    ours = answer.split()[2].partition(".")[0]
    if made_by != ours:
        sys.exit(
            f"{data} was made by Postgres {made_by}, this is {ours}. Start Dossier with DOSSIER_POSTGRES_BIN set to "
            f"the folder of Postgres {made_by}, run 'pg_dumpall', stop, move {data} away, start without, load the dump."
        )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown: clients are cut off, the data are written; leaving them to a recovery is the last resort."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        if server.poll() is None:
            server.send_signal(how)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def heed_sigint() -> None:
    """In the new process: SIGINT ends it, also before Postgres has its own handler.

    A shell starts what it puts in the background with SIGINT ignored, and that is inherited.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _die_with(keeper: int) -> None:
    """In the new process: a fast shutdown when the keeper is killed. Linux only; elsewhere nothing asks for it."""
    heed_sigint()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:
            # It was killed before this was asked for.
            os._exit(1)


if __name__ == "__main__":
    # Files that Postgres makes are nobody else's to read.
    os.umask(0o077)
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
