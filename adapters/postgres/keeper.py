"""The process that keeps the embedded Postgres running while it has users. `embedded.py` explains how it knows that.

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

PORT = 5432
"""The number in the name of the socket. Without `-p`, Postgres would take it from PGPORT."""

USER = "dossier"
DATA = "data"
USERS_LOCK = "users.lock"
KEEPER_LOCK = "keeper.lock"
KEEPER_LOG = "keeper.log"
SERVER_PID = "server.pid"
STOP_SECONDS = 60
POLL_SECONDS = 0.05
RESTARTS = 5
"""The number of times the keeper restarts a server that ended by itself, before it gives up."""

_PR_SET_PDEATHSIG = 1


def try_lock(file: IO[str], operation: int) -> bool:
    """Take a lock (`LOCK_SH` or `LOCK_EX`) if it is free. Return whether it was free."""
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Return whether a process holds the exclusive lock."""
    with path.open("w") as file:
        return not try_lock(file, fcntl.LOCK_EX)


def main(directory: Path, sockets: Path, binaries: Path, options: Sequence[str]) -> None:
    """Run Postgres until its last user has ended."""
    with (
        # This file is opened first and therefore closed last. So if another process gets this lock afterwards, the lock
        # of the keeper is free too.
        (directory / USERS_LOCK).open("w") as users,
        (directory / "postgres.lock").open("w") as postgres,
        (directory / KEEPER_LOCK).open("w") as keeper,
    ):
        fcntl.flock(keeper, fcntl.LOCK_EX)
        # Every process of the Postgres server inherits this lock, so the lock is free once the last of them has ended.
        # So the keeper also waits if the previous keeper was killed and its server is still shutting down.
        fcntl.flock(postgres, fcntl.LOCK_EX)
        # No server of this data directory is running here, so this file is left over. After a power cut, the process id
        # in it may be that of another program, and Postgres would refuse to start.
        (directory / DATA / "postmaster.pid").unlink(missing_ok=True)
        make_cluster(directory, binaries)
        # Ignore signals: the keeper ends only when its last user has ended. A service manager may stop all processes of
        # a service at once, and Dossier needs the database to answer the requests that it has accepted.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(RESTARTS):
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", directory / DATA, "-k", sockets, "-p", str(PORT)),
                    *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", *options),
                ],
                pass_fds=[postgres.fileno()],
                preexec_fn=partial(_die_with, os.getpid()),
            )
            (directory / SERVER_PID).write_text(str(server.pid))
            try:
                while server.poll() is None:
                    if try_lock(users, fcntl.LOCK_EX):
                        return  # the last user has ended
                    time.sleep(POLL_SECONDS)
            finally:
                _stop(server)
            # The server ended by itself, and `_stop` has nothing to do.
            time.sleep(POLL_SECONDS)
        sys.exit(f"Postgres ended by itself {RESTARTS} times")


def make_cluster(directory: Path, binaries: Path) -> None:
    """Create the cluster unless there is one. Afterwards, a power cut does not undo its name."""
    data = directory / DATA
    if data.exists():
        _check_version(data, binaries)
    else:
        _initialise(directory, data, binaries)
    # After a power cut, the cluster could have its unfinished name again, which the next start removes with everything
    # that was written meanwhile. An earlier keeper may have been killed before it came here.
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _initialise(directory: Path, data: Path, binaries: Path) -> None:
    # initdb writes to another name first, so that an unfinished cluster never has the final name.
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
    """Request a fast shutdown, which disconnects clients and writes the data. After 60 s, request an immediate
    shutdown; then the next start recovers the data from the log."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        if server.poll() is None:
            server.send_signal(how)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def restore_sigint() -> None:
    """Let SIGINT end the new process, also before Postgres has installed its own handler.

    A shell starts background processes with SIGINT ignored, and their children inherit that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _die_with(keeper: int) -> None:
    """Let the kernel send the new process a fast shutdown if the keeper is killed. Only Linux can."""
    restore_sigint()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:
            # The keeper was killed before prctl could take effect.
            os._exit(1)


if __name__ == "__main__":
    # Only this user may read the files that Postgres creates.
    os.umask(0o077)
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
