"""Requests at the same moment: each connection is accepted by a worker before any request is sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from tests.acceptance.raw import Answer
from tests.acceptance.service import Server, eventually
from tests.crash.wire import Line, message

from .processes import alone, owners, wait_for_all_workers


async def at_once(server: Server, requests: Sequence[bytes]) -> list[Answer]:
    """Send all requests at once and return the responses in order. Every worker answers equally many."""
    workers = await asyncio.to_thread(wait_for_all_workers, server)
    share = -(-len(requests) // len(workers))
    lines: list[Line] = []
    async with AsyncExitStack() as connections:
        for worker in workers:
            # If several workers accepted connections, the kernel would often give all of them to the same worker.
            with alone(worker, workers):
                count = min(share, len(requests) - len(lines))
                lines += await connections.enter_async_context(accepted_by(server, worker, count))
        for line, request in zip(lines, requests, strict=True):
            line.send(request)
        return await asyncio.gather(*(line.reply() for line in lines))


@asynccontextmanager
async def accepted_by(server: Server, worker: int, count: int) -> AsyncIterator[list[Line]]:
    """Open connections that this worker has accepted. All other workers are stopped."""
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", server.port) for _ in range(count)))
    try:
        wanted = {writer.get_extra_info("sockname")[1]: worker for _, writer in opened}
        await asyncio.to_thread(
            eventually, lambda: owners(server, set(wanted)) == wanted, 20, "all connections are accepted"
        )
        yield [Line(reader, writer) for reader, writer in opened]
    finally:
        for _, writer in opened:
            writer.close()


def get(target: str, key: str, address: str = "127.0.0.1") -> bytes:
    """Return a GET that reaches the server from `address`."""
    return message("GET", target, key, {"X-Forwarded-For": address})
