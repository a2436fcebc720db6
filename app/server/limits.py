"""Every limit that the server sets to its clients: sizes, times, rates and numbers.

`adapters/http/in_flight.py` has the deadlines of a request that the application works on, and the slowest upload.
"""

import logging
import resource

HEAD_BYTES = 64 * 1024
"""The largest head: the request line and all fields. Larger is 431. Proxies send at most 32 KiB."""

TARGET_BYTES = 16 * 1024
"""The longest request target. Longer is 414. RFC 9110 4.1 recommends at least 8,000 octets."""

FIELDS = 256
"""How many header fields a head may have. More is 431. In memory, a short field takes 50 times its size on the wire."""

CHUNK_LINE_BYTES = 256
"""The longest chunk-size line with its extensions. RFC 9112 7.1.1 asks for a limit: extensions carry no data."""

TRAILER_BYTES = 8 * 1024
"""The largest trailer section (RFC 9112 7.1.2)."""

HEAD_SECONDS = 10
"""How long a head may take: from the connection on for the first one, then from its first byte on."""

DISCARD_BYTES = 64 * 1024
"""How much of a body that no handler reads is discarded to keep the connection open. A larger rest closes it."""

DISCARD_SECONDS = 10
"""How long such a rest may take to arrive."""

LINGER_SECONDS = 2
"""How long the server still reads after its last response. Without that, unread data makes the kernel reset the
connection, and the client may lose the response (RFC 9112 9.6)."""

WRITE_SECONDS = 30
WRITE_BYTES = 240 * WRITE_SECONDS
"""The least that a client must take of a waiting response in each `WRITE_SECONDS`: 240 bytes a second, the value of IIS
and Kestrel. No human reads a download that slowly."""

CONNECTIONS = 4096
"""The most connections of one process: with 64 KiB of head each, they hold 256 MiB. One process answers far fewer
requests at a time, and an idle connection is closed for a new one."""

IDLE_BEFORE_CLOSED_SECONDS = 1
"""An idle connection is closed for a new one after this time. Before, its first request may be on its way."""

RESERVED_DESCRIPTORS = 100
"""File descriptors that are no connections: Postgres, Valkey, the log, modules, metrics."""

log = logging.getLogger("dossier.server")


def raise_descriptor_limit() -> None:
    """Raise this process's soft limit of file descriptors as far as needed and allowed. Child processes inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * CONNECTIONS + RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        if connection_limit() < CONNECTIONS:
            log.warning(
                "the limit of file descriptors (ulimit -n) is %d, so each process takes at most %d connections; "
                "%d descriptors would allow %d",
                *(wanted, connection_limit(), needed, CONNECTIONS),
            )


def connection_limit() -> int:
    """Return how many connections this process takes, so that it never runs out of file descriptors.

    Each connection may need a second descriptor: the file that it uploads or downloads.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(1, (soft - RESERVED_DESCRIPTORS) // 2))
