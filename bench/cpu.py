"""CPU seconds and resident memory of a process, from Linux' /proc (proc(5))."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat, counted from the field after the name. The name may contain spaces; it ends with the last
# ')'.
_PARENT, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14


def process_seconds(pid: int) -> float:
    """Return the user and system time of a process, including all its threads."""
    stat = _stat(pid)
    return (int(stat[_UTIME]) + int(stat[_STIME])) / _TICKS


def family_seconds(parent: int) -> float:
    """Return the user and system time of a process and its children, running or ended.

    This covers all of Postgres and of a server with workers: neither has grandchildren, and both wait for every child
    that ends.
    """
    total = 0
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = _stat(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # The child ended in between.
        if int(stat[_PARENT]) == parent:
            total += int(stat[_UTIME]) + int(stat[_STIME])
    own = _stat(parent)
    return (total + sum(int(own[field]) for field in (_UTIME, _STIME, _CUTIME, _CSTIME))) / _TICKS


def spawned(parent: int) -> list[int]:
    """Return the children of a process that Python's multiprocessing has spawned to run a function."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat, command = _stat(int(entry.name)), (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # The process ended in between.
            if int(stat[_PARENT]) == parent and b"spawn_main" in command:
                found.append(int(entry.name))
    return found


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE


def peak_bytes(pid: int) -> int:
    """Return the peak resident memory of a process since its start or since `forget_peak`."""
    status = (_PROC / str(pid) / "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(pid: int) -> None:
    """Reset the peak to the present resident memory."""
    (_PROC / str(pid) / "clear_refs").write_text("5")


def machine() -> dict[str, str | int]:
    """Return a description of this machine."""
    models = {
        line.partition(":")[2].strip()
        for line in (_PROC / "cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    memory = (_PROC / "meminfo").read_text().split()[1]
    return {
        "processor": ", ".join(sorted(models)) or os.uname().machine,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(memory) // 1024,
        "kernel": os.uname().release,
    }


def _stat(pid: int) -> list[str]:
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
