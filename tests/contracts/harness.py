"""The tables of adapters on which the contract suites run. A new adapter is one entry in a table below.

A database supplies a `Records` (records.py), an object store a `Store` (stores.py), and a rate limiter itself.
docs/testing.md says what they contain and which suites run on each. Tests share a database, bucket or limiter: each
test makes workspaces, paths or subjects of its own, so nothing is cleaned up.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from adapters.memory.rate_limit import MemoryRateLimiter
from ports.rate_limit import RateLimiter
from tests.clock import StillClock
from tests.contracts.records import Records
from tests.contracts.repositories import memory_records, postgres_records, two_processes_records
from tests.contracts.s3_store import s3_store
from tests.contracts.stores import ServedStore, Store, filesystem_store, memory_store

Fixture = Callable[[str], Any]
"""`request.getfixturevalue`: it starts a server only for the adapters that need it."""

REPOSITORIES: dict[str, Callable[[Fixture, StillClock], Records]] = {
    "memory": lambda _, clock: memory_records(clock),
    "postgres": lambda fixture, clock: postgres_records(fixture("database"), clock),
}
"""The repositories of every technology."""

CONCURRENT_REPOSITORIES: dict[str, Callable[[Fixture, StillClock], Records]] = {
    **REPOSITORIES,
    "postgres from two processes": lambda fixture, clock: two_processes_records(fixture("database"), clock),
}
"""The same, and those that two processes share through one database. Tests of races and retries run on these."""

SERVED_STORES: dict[str, Callable[[Fixture, Path], AbstractAsyncContextManager[ServedStore]]] = {
    "memory": lambda _, directory: memory_store(),
    "filesystem": lambda _, directory: filesystem_store(directory),
}
"""Every store whose signed URLs lead to Dossier itself."""

STORES: dict[str, Callable[[Fixture, Path], AbstractAsyncContextManager[Store]]] = {
    **SERVED_STORES,
    "s3": lambda fixture, _: s3_store(fixture("s3_plain")),
    "s3 with versions": lambda fixture, _: s3_store(fixture("s3_versioned")),
}
"""Every object store."""

RATE_LIMITERS: dict[str, Callable[[Fixture], RateLimiter]] = {
    "memory": lambda _: MemoryRateLimiter(),
    "valkey": lambda fixture: fixture("valkey_limiter"),
}
"""Every rate limiter."""

SWEPT = (
    ("memory", "memory"),
    ("postgres", "filesystem"),
    ("postgres", "s3"),
    ("memory", "s3 with versions"),
)
"""Pairs of repository and store for the sweeper. Every adapter is in one of the pairs, because a race between a create
and a sweep involves both adapters."""
