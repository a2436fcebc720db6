"""The data directory, which other users of the machine can neither list nor read nor write."""

import logging
import os
from pathlib import Path

from ports.system import Unavailable

log = logging.getLogger("dossier.secret")

_READ_OR_WRITTEN_BY_OTHERS = 0o066


def make_private(directory: Path) -> None:
    """Create the directory with mode 0700 if it does not exist. Take the rights of other users away if they have any.

    A mode of 0711 is left alone: if root may not use user namespaces, the embedded Postgres runs as the user `nobody`,
    who must pass through the directory.

    Raises:
        Unavailable: the directory belongs to another user, or cannot be created.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
        if found.st_mode & _READ_OR_WRITTEN_BY_OTHERS:
            directory.chmod(0o700)
            log.warning(
                "other users of this machine could use %s (mode %o); its mode is 700 now",
                directory,
                found.st_mode & 0o777,
            )
    except PermissionError as error:
        raise Unavailable(
            f"{directory} does not belong to this user; set DOSSIER_DATA_DIR to a directory of its own"
        ) from error
    except OSError as error:
        raise Unavailable(f"cannot use {directory}: {error}") from error


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read. Replace an existing one.

    Raises:
        Unavailable: the file cannot be written.
    """
    try:
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w") as opened:
            opened.write(text)
    except OSError as error:
        raise Unavailable(f"cannot write {file}: {error}") from error
