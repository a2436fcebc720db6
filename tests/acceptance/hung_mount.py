"""A file system that hangs: a FUSE mount that never answers, as a network mount does whose server is gone."""

import ctypes
import os
from pathlib import Path

import pytest

_MNT_DETACH = 2


class HungMount:
    """Hangs every access to a path below `directory`, until `end`. The mount covers the files that are there.

    Skips the test if this process may not mount file systems.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = os.fsencode(directory)
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            # The device of a file system in user space (fuse(4)). Nothing ever reads a request from it.
            self._device: int | None = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            pytest.skip(f"no FUSE here: {error}")
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
        if self._libc.mount(b"hung", self._directory, b"fuse.hung", 0, options) != 0:
            os.close(self._device)
            pytest.skip(f"may not mount: {os.strerror(ctypes.get_errno())}")

    def detach(self) -> None:
        """Make the covered files accessible again. The accesses that hang continue to hang, until `end`."""
        self._libc.umount2(self._directory, _MNT_DETACH)

    def end(self) -> None:
        """Unmount. The accesses that hang fail, and the covered files are back. Repeating it is safe."""
        if self._device is not None:
            self.detach()
            os.close(self._device)
            self._device = None
