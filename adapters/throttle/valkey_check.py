"""The check of the rate limiter's Valkey that `dossier doctor` reports."""

import asyncio
from contextlib import aclosing
from typing import Any

from valkey.exceptions import ResponseError, ValkeyError

from adapters.throttle.counters import Counter, Group, ValkeyCounters
from adapters.throttle.location import valkey_location
from ports.checks import CheckResult, Grade

RESPONSE_SECONDS = 2.0

_SAFE_POLICIES = ("noeviction", "volatile-ttl")
"""The eviction policies that do no harm. The first refuses writes, so that requests are counted in each process; the
second evicts the counters that end first."""


async def check_valkey(url: str) -> CheckResult:
    """Check that the server in the setting counts requests, and that it does not evict counters."""
    location = valkey_location(url)
    try:
        async with asyncio.timeout(RESPONSE_SECONDS), aclosing(ValkeyCounters(location)) as counters:
            await counters.count([Group([Counter("doctor", 2**53, 60)], 1)])
            server = _members(await _ask(counters, "INFO", "server"))
            memory = _members(await _ask(counters, "CONFIG", "GET", "maxmemory*"))
    except (ValkeyError, OSError, TimeoutError) as error:
        why = f"no response within {RESPONSE_SECONDS:.0f} s" if isinstance(error, TimeoutError) else str(error)
        return CheckResult("rate limit", Grade.FAILED, f"{location.shown}: {why}")
    found = f"{location.shown}: {_name(server)}, counts for every process"
    policy = memory.get("maxmemory-policy", _SAFE_POLICIES[0])
    if policy not in _SAFE_POLICIES and memory.get("maxmemory", "0") != "0":
        found += (
            f"; when it is full it may drop counters (maxmemory-policy {policy}), and then admits requests over the "
            "limit: use volatile-ttl"
        )
        return CheckResult("rate limit", Grade.DEGRADED, found)
    return CheckResult("rate limit", Grade.OK, found)


async def _ask(counters: ValkeyCounters, *command: str) -> object:
    """Return the response; an empty response if this user may not run the command."""
    try:
        return await counters.command(*command)
    except ResponseError:
        return {}


def _members(response: Any) -> dict[str, str]:
    """Return the names and values of a response. The client parses some responses into dictionaries, and returns others
    as text."""
    if isinstance(response, dict):
        return {_text(name): _text(value) for name, value in response.items()}
    if isinstance(response, list):
        return {_text(name): _text(value) for name, value in zip(response[::2], response[1::2], strict=True)}
    lines = (line.partition(":") for line in _text(response).splitlines() if ":" in line)
    return {name: value for name, _, value in lines}


def _name(server: dict[str, str]) -> str:
    """Return the product and its version. Valkey reports its own version, and a version of Redis for compatibility."""
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}" if "redis_version" in server else "of an unknown version"


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
