"""The secret of a deployment, in a file that only its owner can read."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from ports.system import Unavailable

SECRET_MIN_LENGTH = 32


def read_or_create_secret(file: Path) -> bytes:
    """Return the secret in `file`; create it if the file does not exist.

    Raises:
        Unavailable: the file cannot be read or created, or its content is too short.
    """
    try:
        _create_if_absent(file, secrets.token_hex(32))
        secret = file.read_text()
    except OSError as error:
        raise Unavailable(f"cannot use {file}: {error}; set DOSSIER_SECRET, and no file is needed") from error
    if len(secret) < SECRET_MIN_LENGTH:
        raise Unavailable(f"{file} does not hold a secret; remove the file, and a new secret is created")
    return secret.encode()


def replace_secret(file: Path) -> bytes:
    """Write a new secret into `file`, and return it. After a crash, the file holds the old secret or the new one.

    Raises:
        Unavailable: the file cannot be written.
    """
    try:
        replacement = file.with_name(f"{file.name}.new")
        replacement.unlink(missing_ok=True)
        secret = read_or_create_secret(replacement)
        replacement.replace(file)
    except OSError as error:
        raise Unavailable(f"cannot replace {file}: {error}") from error
    return secret


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
