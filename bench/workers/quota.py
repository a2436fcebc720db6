"""Fixed shares of a core for single processes, by control groups of Linux (version 1 or 2). They need root."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_VERSION_1 = Path("/sys/fs/cgroup/cpu")
_VERSION_2 = Path("/sys/fs/cgroup")
_PERIOD_US = 20_000
"""How often the share is given. With the usual 100 ms, a worker would pause for longer than a request takes."""


def can_limit() -> bool:
    """Return whether this process may limit others."""
    root = _root()
    return root is not None and os.access(root, os.W_OK) and os.geteuid() == 0


@contextmanager
def limited(pids: Sequence[int], share: float) -> Iterator[None]:
    """Give each of these processes at most this share of one core, until the end of the block."""
    root = _root()
    assert root is not None
    with ExitStack() as stack:
        for pid in pids:
            group = root / f"dossier-bench-{pid}"
            group.mkdir()
            stack.callback(group.rmdir)
            if root == _VERSION_1:
                (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(int(share * _PERIOD_US)))
            else:
                (group / "cpu.max").write_text(f"{int(share * _PERIOD_US)} {_PERIOD_US}")
            (group / "cgroup.procs").write_text(str(pid))
            stack.callback(_release, root, pid)
        yield


def _release(root: Path, pid: int) -> None:
    with suppress(ProcessLookupError):  # The process has ended.
        (root / "cgroup.procs").write_text(str(pid))


def _root() -> Path | None:
    """Return the root cgroup if its child cgroups can have a CPU quota, and otherwise `None`."""
    if (_VERSION_1 / "cpu.cfs_quota_us").exists():
        return _VERSION_1
    controlled = _VERSION_2 / "cgroup.subtree_control"
    return _VERSION_2 if controlled.exists() and "cpu" in controlled.read_text().split() else None
