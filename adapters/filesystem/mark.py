"""The file of the claim mark: one line of text. After a crash, the file is either complete or absent."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.filesystem.files import flush, fsync
from ports.system import Unavailable


def read_mark(file: Path) -> str | None:
    """Return the claim mark; `None` if the file does not exist."""
    try:
        # A file that is not UTF-8 is still a mark, but of another program.
        return file.read_text("utf-8", "replace").removesuffix("\n")
    except FileNotFoundError:
        return None


@dataclass(slots=True)
class NewMark:
    """A claim mark to be written. If the caller gives up while a thread hangs, the thread writes no mark afterwards."""

    text: str
    is_given_up: bool = False

    def write(self, file: Path, incoming: Path, *, replace: bool) -> bool:
        """Write the mark to the new file `incoming`, then give it its final name. Unless `replace`, do so only if no
        mark exists.

        Returns `False` if another mark exists.
        """
        try:
            with open(incoming, "xb") as made:
                made.write(f"{self.text}\n".encode())
                flush(made)
            if self.is_given_up:
                raise Unavailable("the mark was given up")
            if replace:
                os.replace(incoming, file)
                is_written = True
            else:
                is_written = _link(incoming, file)
            # The directory is also flushed if another mark exists. The caller reads that mark next, and it must
            # survive a crash.
            fsync(file.parent)
        finally:
            with suppress(OSError):
                incoming.unlink()
        return is_written


def _link(incoming: Path, file: Path) -> bool:
    try:
        os.link(incoming, file)
    except FileExistsError:
        return False
    return True
