"""Several servers on one database, of which tests kill and start some while the others go on."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.acceptance.service import Server


class Node(Server):
    """One `dossier serve` that keeps its port."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        super().__init__(data_dir, 1, **settings)
        self.port = _free_port()

    def kill(self) -> None:
        """Kill the server with SIGKILL and wait for its end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


class Fleet:
    """Servers behind a load balancer that knows which of them run."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self._up: list[Node] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._next = 0

    def another(self, tried: Node | None = None) -> Node:
        """Return the next running server, other than `tried` if there is another."""
        others = [node for node in self._up if node is not tried] or self._up
        assert others, "no server runs"
        self._next += 1
        return others[self._next % len(others)]

    def start(self, node: Node) -> None:
        """Begin to start the server. `another` returns it once it is ready."""
        self._starting.add(asyncio.create_task(self._start(node)))

    def kill(self, node: Node) -> None:
        self._up.remove(node)
        node.kill()

    async def until_up(self, count: int) -> None:
        """Wait until this many servers are ready."""
        while len(self._up) < count:
            assert self._starting, "too few servers were started"
            done, self._starting = await asyncio.wait(self._starting, return_when=asyncio.FIRST_COMPLETED)
            for start in done:
                start.result()

    async def close(self) -> None:
        for start in self._starting:
            start.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for node in self.nodes:
            # No test needs a graceful end here.
            if node.process is not None and node.process.poll() is None:
                node.kill()
            node.close()

    def said(self) -> Iterator[str]:
        """Yield the end of each server's log."""
        for node in self.nodes:
            yield f"--- The server on port {node.port} said:\n{node.said()}"

    async def _start(self, node: Node) -> None:
        node.launch(node.port)
        await asyncio.to_thread(node.wait_until_ready)
        self._up.append(node)


@asynccontextmanager
async def open_fleet(nodes: list[Node]) -> AsyncIterator[Fleet]:
    """Run the servers for the `with` block."""
    fleet = Fleet(nodes)
    try:
        for node in nodes:
            fleet.start(node)
        await fleet.until_up(len(nodes))
        yield fleet
    finally:
        await fleet.close()


def _free_port() -> int:
    # Clients get ports from a higher range, so none takes the port of a server that is down.
    for _ in range(100):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
