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
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Never

USER = "dossier"
DATA = "data"
USERS_LOCK = "users.lock"
KEEPER_LOCK = "keeper.lock"
KEEPER_LOG = "keeper.log"
SERVER_PID = "server.pid"
STOP_SECONDS = 60

_PR_SET_PDEATHSIG = 1


class _ServerDied(Exception):
    """Postgres has ended, though nobody told it to."""


def is_locked(path: Path) -> bool:
    """Whether some process has the lock for itself."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def main(directory: Path, sockets: Path, binaries: Path, options: Sequence[str]) -> None:
    """Run Postgres until nobody uses it any more."""
    with (
        (directory / KEEPER_LOCK).open("w") as keeper,
        (directory / "postgres.lock").open("w") as postgres,
        (directory / USERS_LOCK).open("w") as users,
    ):
        fcntl.flock(keeper, fcntl.LOCK_EX)
        # Every process of a server inherits this lock: so it is free once the last of them has ended, even when the
        # keeper before us was killed and its server is still on its way down.
        fcntl.flock(postgres, fcntl.LOCK_EX)
        _make_cluster(directory, binaries)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        while True:
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", directory / DATA, "-k", sockets),
                    *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", *options),
                ],
                pass_fds=[postgres.fileno()],
                preexec_fn=_die_with_parent,
            )
            (directory / SERVER_PID).write_text(str(server.pid))
            try:
                signal.signal(signal.SIGCHLD, _on_child)
                if server.poll() is not None:
                    raise _ServerDied  # before the line above
                fcntl.flock(users, fcntl.LOCK_EX)  # waits for the last user to go
                return
            except _ServerDied:
                if server.poll() not in (None, 0) and not (directory / DATA / "postmaster.pid").exists():
                    sys.exit("Postgres ended before it had started")
            finally:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _stop(server)


def _make_cluster(directory: Path, binaries: Path) -> None:
    data = directory / DATA
    if data.exists():
        _check_version(data, binaries)
        return
    # Made under another name first: a half-made cluster never has the right one.
    unfinished = directory / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(
        [
            *(binaries / "initdb", "--pgdata", unfinished, "--username", USER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        ],
        check=True,
    )
    unfinished.rename(data)


def _check_version(data: Path, binaries: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    ours = answer.split()[2].partition(".")[0]
    if made_by != ours:
        sys.exit(
            f"{data} was made by Postgres {made_by}, this is {ours}. With the old version installed, run "
            f"'pg_dumpall', move {data} away, start Dossier once, and load the dump with 'psql'."
        )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown: clients are cut off, the data are written; a crash's recovery is the last resort."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        if server.poll() is None:
            server.send_signal(how)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def _on_child(_signum: int, _frame: FrameType | None) -> Never:
    raise _ServerDied


def _die_with_parent() -> None:
    """In the new process: a fast shutdown when the keeper is killed. Linux only; elsewhere nothing asks for it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


if __name__ == "__main__":
    # Files that Postgres makes are nobody else's to read.
    os.umask(0o077)
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
