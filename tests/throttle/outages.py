"""Every outage of a Valkey that the limiter must survive."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from tests.throttle.relay import Fault, open_relay
from tests.valkey import open_valkey


@dataclass(frozen=True, slots=True)
class Outage:
    """A server, and how its outage begins and ends."""

    url: str
    begin: Callable[[], Awaitable[object]]
    end: Callable[[], Awaitable[object]]
    loses_counts: bool = False


OUTAGES = (
    *(fault.name for fault in Fault if fault is not Fault.LATE),
    *("KILLED", "PAUSED", "READ_ONLY", "FULL", "PASSWORD_CHANGED"),
)


@asynccontextmanager
async def outage_named(name: str) -> AsyncIterator[Outage]:
    """Start a server of its own for the outage."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(open_valkey())

        def run(*words: str) -> Callable[[], Awaitable[object]]:
            return partial(server.run, *words)

        async def pause() -> None:
            server.pause()

        async def resume() -> None:
            server.resume()

        async def change_password() -> None:
            await server.run("CONFIG", "SET", "requirepass", "other")
            await server.run("CLIENT", "KILL", "TYPE", "normal", password="other")

        match name:
            case "KILLED":
                yield Outage(server.url, server.kill, server.start, loses_counts=True)
            case "PAUSED":
                yield Outage(server.url, pause, resume)
            case "READ_ONLY":
                yield Outage(server.url, run("REPLICAOF", "127.0.0.1", "1"), run("REPLICAOF", "NO", "ONE"))
            case "FULL":
                yield Outage(server.url, run("CONFIG", "SET", "maxmemory", "1"), run("CONFIG", "SET", "maxmemory", "0"))
            case "PASSWORD_CHANGED":
                restore = partial(server.run, "CONFIG", "SET", "requirepass", "", password="other")
                yield Outage(server.url, change_password, restore)
            case _:
                relay = await stack.enter_async_context(open_relay(server.socket))
                yield Outage(relay.url, partial(relay.fail, Fault[name]), relay.heal)
