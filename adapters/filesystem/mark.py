"""The mark in its file: a line of text, there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from adapters.filesystem.files import flush, fsync


def read_mark(file: Path) -> str | None:
    """What the file says; `None` where there is none."""
    try:
        # What is no text is a mark too, and none of ours.
        return file.read_text("utf-8", "replace").removesuffix("\n")
    except FileNotFoundError:
        return None


def write_mark(file: Path, incoming: Path, mark: str, *, replace: bool) -> bool:
    """Write it, by way of another file that is new; unless `replace`, only where there is none. Whether it was."""
    try:
        with open(incoming, "xb") as made:
            made.write(f"{mark}\n".encode())
            flush(made)
        if replace:
            os.replace(incoming, file)
            is_ours = True
        else:
            is_ours = _link(incoming, file)
        # Also for one that came second: what it reads then must last.
        fsync(file.parent)
    finally:
        with suppress(OSError):
            incoming.unlink()
    return is_ours


def _link(incoming: Path, file: Path) -> bool:
    try:
        os.link(incoming, file)
    except FileExistsError:
        return False
    return True
