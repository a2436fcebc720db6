"""The secret of a deployment, in a file that only its owner can read."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from ports.system import Unavailable

SECRET_MIN_LENGTH = 32

_ROOT = 0
_OTHERS = 0o077
"""The permissions of the group and of all other users."""


def read_or_create_secret(file: Path) -> bytes:
    """Return the secret in `file`; create it if the file does not exist.

    Raises:
        Unavailable: the file cannot be read or created, its content is too short, or other users of the machine may
            know it.
    """
    try:
        _create_if_absent(file, secrets.token_hex(32))
        with file.open() as opened:
            found, secret = os.fstat(opened.fileno()), opened.read()
        # Before the secret is used, by whichever process created the file: after a power cut without it, no server
        # would start on the database.
        _fsync(file.parent)
    except OSError as error:
        raise Unavailable(f"cannot use {file}: {error}; set DOSSIER_SECRET, and no file is needed") from error
    if found.st_uid not in (os.geteuid(), _ROOT):
        raise Unavailable(f"{file} belongs to another user of this machine, who knows the secret; remove the file")
    if found.st_mode & _OTHERS:
        raise Unavailable(
            f"other users of this machine can use {file} (mode {found.st_mode & 0o777:o}). Run 'chmod 600 {file}'. If "
            "another user may have read it, run 'dossier rotate-secret' too"
        )
    if len(secret) < SECRET_MIN_LENGTH:
        raise Unavailable(f"{file} does not hold a secret; remove the file, and a new secret is created")
    return secret.encode()


def replace_secret(file: Path) -> bytes:
    """Write a new secret into `file`, and return it. After a crash, the file contains the old secret or the new one.

    Raises:
        Unavailable: the file cannot be written.
    """
    try:
        replacement = file.with_name(f"{file.name}.new")
        replacement.unlink(missing_ok=True)
        secret = read_or_create_secret(replacement)
        replacement.replace(file)
        _fsync(file.parent)
    except OSError as error:
        raise Unavailable(f"cannot replace {file}: {error}") from error
    return secret


def _fsync(directory: Path) -> None:
    """Write the entries of a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_if_absent(file: Path, text: str) -> None:
    """Write a private file completely and durably, unless it exists. If several processes try at once, the first one
    succeeds."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=".secret-"
    ) as made:  # creates the file with mode 0600
        made.write(text)
        made.flush()
        os.fsync(made.fileno())
        with suppress(FileExistsError):
            os.link(made.name, file)
