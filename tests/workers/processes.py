"""The processes of a server and their connections, as /proc shows them."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.acceptance.service import Server, eventually

_WORKER = b"multiprocessing.spawn"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def children_of(server: Server, kind: bytes) -> set[int]:
    """Return the child processes of the server whose command line contains `kind`."""
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    # A process that a thread started is listed as a child of that thread.
    for task in Path(f"/proc/{parent}/task").iterdir():
        children += (task / "children").read_text().split()
    return {int(child) for child in children if kind in _command_line(int(child))}


def workers_of(server: Server) -> set[int]:
    """Return the processes that answer requests, or will do so soon."""
    assert server.process is not None
    return children_of(server, _WORKER) if server.workers > 1 else {server.process.pid}


def runs(process: int) -> bool:
    """Return whether the process runs. A zombie does not."""
    return _command_line(process) != b""


def owners(server: Server, local_ports: set[int]) -> dict[int, int]:
    """Return which process has accepted the connection from each of these local ports. Leave out unaccepted ones."""
    accepted = {remote: inode for remote, inode in _sockets_on(server.port) if inode}
    wanted = {inode: port for port, inode in accepted.items() if port in local_ports}
    found = {}
    for process in workers_of(server):
        for inode in _sockets_of(process):
            if inode in wanted:
                found[wanted[inode]] = process
    return found


def wait_for_all_workers(server: Server) -> set[int]:
    """Return the workers once all of them accept connections."""
    try:
        eventually(lambda: len(accepting(server)) == server.workers, 60, f"{server.workers} workers accept connections")
    except AssertionError as error:
        raise AssertionError(f"{error}, of {workers_of(server)}\n{server.said()}") from None
    return accepting(server)


def accepting(server: Server) -> set[int]:
    """Return the workers whose event loop watches the listening socket."""
    listening = {inode for remote, inode in _sockets_on(server.port) if remote == 0}
    return {worker for worker in workers_of(server) if listening & set(_watched_by(worker))}


@contextmanager
def alone(worker: int, workers: set[int]) -> Iterator[None]:
    """Stop all other workers for the `with` block, so that this one accepts every new connection."""
    others = workers - {worker}
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def check_log(server: Server) -> None:
    """Require a log without tracebacks and without warnings of the interpreter."""
    for unwanted in ("Traceback", "resource_tracker", "KeyboardInterrupt", "leaked"):
        assert unwanted not in server.said(), server.said()


def variable_of(process: int, name: str) -> str:
    """Return the value of an environment variable that the process was started with."""
    pairs = (Path(f"/proc/{process}/environ").read_bytes().decode()).split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)[name]


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _sockets_on(port: int) -> Iterator[tuple[int, int]]:
    """Yield the remote port and the inode of each socket with this local port.

    The listening socket has the remote port 0. A connection that is not accepted yet has the inode 0.
    """
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].split(":")[1], 16) == port:
            yield int(columns[2].split(":")[1], 16), int(columns[9])


def _sockets_of(process: int) -> Iterator[int]:
    """Yield the inodes of the open sockets of a process."""
    for descriptor in _list(Path(f"/proc/{process}/fd")):
        yield from _inode(descriptor)


def _watched_by(process: int) -> Iterator[int]:
    """Yield the inodes of the sockets that an event loop of the process watches."""
    for file in _list(Path(f"/proc/{process}/fdinfo")):
        with suppress(OSError):
            for watched in re.findall(r"^tfd: +(\d+)", file.read_text(), re.MULTILINE):
                yield from _inode(Path(f"/proc/{process}/fd/{watched}"))


def _inode(descriptor: Path) -> Iterator[int]:
    with suppress(OSError):  # the socket was closed meanwhile
        if found := _SOCKET.fullmatch(os.readlink(descriptor)):
            yield int(found[1])


def _list(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []  # the process has ended
