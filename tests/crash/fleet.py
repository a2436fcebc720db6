"""Several server processes on one database, to be killed and started again while the others go on."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.acceptance.service import Server

from .wire import Interrupted, ask, message

START_SECONDS = 60


class Node(Server):
    """One `dossier serve`, always on the same port."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        super().__init__(data_dir)
        self.env.update(settings)
        self.port = _free_port()

    async def open(self) -> None:
        """Start it, and return once it answers."""
        self.launch(self.port)
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                assert self.process is not None
                assert self.process.poll() is None, f"a server ended with {self.process.returncode}:\n{self.said()}"
                await asyncio.sleep(0.02)  # nothing tells when it listens

    def kill(self) -> None:
        """kill -9, and gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def _answers(self) -> bool:
        try:
            # It listens before it is ready, and lets us wait.
            return (await ask(self.port, message("GET", "/health/ready", "", {}))).status == 200
        except Interrupted:
            return False


class Fleet:
    """Servers behind a balancer that knows which of them run."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self._up: list[Node] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._turn = 0

    def another(self, tried: Node | None = None) -> Node:
        """A running server, each in its turn; not the one that was tried, unless it is the only one."""
        others = [node for node in self._up if node is not tried] or self._up
        assert others, "no server runs"
        self._turn += 1
        return others[self._turn % len(others)]

    def start(self, node: Node) -> None:
        """Begin to start it; it gets requests once it answers."""
        self._starting.add(asyncio.create_task(self._start(node)))

    def kill(self, node: Node) -> None:
        self._up.remove(node)
        node.kill()

    async def until_up(self, count: int) -> None:
        """Return once that many servers answer."""
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
            # The tests are over: nobody waits for a graceful end.
            if node.process is not None and node.process.poll() is None:
                node.kill()
            node.close()

    def said(self) -> Iterator[str]:
        """The end of each server's log."""
        for node in self.nodes:
            yield f"--- The server on port {node.port} said:\n{node.said()}"

    async def _start(self, node: Node) -> None:
        await node.open()
        self._up.append(node)


@asynccontextmanager
async def open_fleet(nodes: list[Node]) -> AsyncIterator[Fleet]:
    """All of them running. What fails in the block fails with their logs."""
    fleet = Fleet(nodes)
    try:
        for node in nodes:
            fleet.start(node)
        await fleet.until_up(len(nodes))
        yield fleet
    except Exception as error:
        for note in fleet.said():
            error.add_note(note)
        raise
    finally:
        await fleet.close()


def _free_port() -> int:
    # Below the range that the kernel takes for clients: there, a server that is down could lose its port to one.
    for _ in range(100):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
