"""Every way in which a Valkey is away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from tests.throttle.relay import Fault, open_relay
from tests.valkey import open_valkey


@dataclass(frozen=True, slots=True)
class Outage:
    """A server of one's own, that fails and works again as it is told."""

    url: str
    begin: Callable[[], Awaitable[object]]
    end: Callable[[], Awaitable[object]]
    loses_counts: bool = False


OUTAGES = (
    *(fault.name for fault in Fault if fault is not Fault.LATE),
    *("KILLED", "STOPPED", "PAUSED", "READ_ONLY", "FULL", "PASSWORD_CHANGED"),
)


@asynccontextmanager
async def outage_named(name: str) -> AsyncIterator[Outage]:
    """The server, and the outage it can have."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(open_valkey())

        def ask(*words: str) -> Callable[[], Awaitable[object]]:
            return partial(server.ask, *words)

        async def pause() -> None:
            server.pause()

        async def resume() -> None:
            server.resume()

        async def change_password() -> None:
            await server.ask("CONFIG", "SET", "requirepass", "other")
            await server.ask_as("other", "CLIENT", "KILL", "TYPE", "normal")

        async def forget_password() -> None:
            await server.ask_as("other", "CONFIG", "SET", "requirepass", "")

        match name:
            case "KILLED":
                yield Outage(server.url, server.kill, server.start, loses_counts=True)
            case "STOPPED":
                yield Outage(server.url, server.stop, server.start, loses_counts=True)
            case "PAUSED":
                yield Outage(server.url, pause, resume)
            case "READ_ONLY":
                yield Outage(server.url, ask("REPLICAOF", "127.0.0.1", "1"), ask("REPLICAOF", "NO", "ONE"))
            case "FULL":
                yield Outage(server.url, ask("CONFIG", "SET", "maxmemory", "1"), ask("CONFIG", "SET", "maxmemory", "0"))
            case "PASSWORD_CHANGED":
                yield Outage(server.url, change_password, forget_password)
            case _:
                relay = await stack.enter_async_context(open_relay(server.socket))
                yield Outage(relay.url, partial(relay.fail, Fault[name]), relay.heal)
