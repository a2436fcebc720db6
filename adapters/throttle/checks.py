"""What `dossier doctor` says of the Valkey that requests are counted in."""

import asyncio
from contextlib import aclosing
from typing import Any

from valkey.exceptions import ResponseError, ValkeyError

from adapters.throttle.counters import Counter, Group, ValkeyCounters
from adapters.throttle.location import valkey_location
from ports.checks import CheckResult, Grade

ANSWER_SECONDS = 2.0

_KEEPS_COUNTERS = ("noeviction", "volatile-ttl")
"""What does no harm when it is full: to refuse, so that requests are counted without it; to drop what ends first."""


async def examine_valkey(url: str) -> CheckResult:
    """Whether the server that the setting names answers and counts, and whether it keeps what it has counted."""
    location = valkey_location(url)
    try:
        async with asyncio.timeout(ANSWER_SECONDS), aclosing(ValkeyCounters(location)) as counters:
            await counters.count([Group([Counter("doctor", 2**53, 60)], 1)])
            server = _members(await _told(counters, "INFO", "server"))
            memory = _members(await _told(counters, "CONFIG", "GET", "maxmemory*"))
    except (ValkeyError, OSError, TimeoutError) as error:
        why = f"no answer in {ANSWER_SECONDS:.0f} s" if isinstance(error, TimeoutError) else str(error)
        return CheckResult("rate limit", Grade.FAILED, f"{location.shown}: {why}")
    found = f"{location.shown}: {_name(server)}, counts for every process"
    policy = memory.get("maxmemory-policy", _KEEPS_COUNTERS[0])
    if policy not in _KEEPS_COUNTERS and memory.get("maxmemory", "0") != "0":
        found += (
            f"; when it is full it may drop counters (maxmemory-policy {policy}), and who is over a limit is let in: "
            f"use volatile-ttl"
        )
        return CheckResult("rate limit", Grade.DEGRADED, found)
    return CheckResult("rate limit", Grade.OK, found)


async def _told(counters: ValkeyCounters, *command: str) -> object:
    """The answer; nothing, where this user may not ask."""
    try:
        return await counters.command(*command)
    except ResponseError:
        return {}


def _members(answer: Any) -> dict[str, str]:
    """Names and values. The client makes dictionaries of what it knows, and leaves the rest as it was sent."""
    if isinstance(answer, dict):
        return {_text(name): _text(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return {_text(name): _text(value) for name, value in zip(answer[::2], answer[1::2], strict=True)}
    lines = (line.partition(":") for line in _text(answer).splitlines() if ":" in line)
    return {name: value for name, _, value in lines}


def _name(server: dict[str, str]) -> str:
    """Valkey tells clients the version of Redis that it is like, and its own besides."""
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}" if "redis_version" in server else "of a version that it does not tell"


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
