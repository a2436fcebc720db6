"""The limits of the server for its clients: sizes, times, rates and numbers.

`adapters/http/in_flight.py` has the deadlines of a request that the application works on, and the slowest upload.
"""

import logging
import resource

HEAD_BYTES = 64 * 1024
"""The largest head: the request line and all fields. A larger head is 431. Common proxies send at most 32 KiB."""

TARGET_BYTES = 16 * 1024
"""The longest request target. A longer target is 414. RFC 9110 4.1 recommends at least 8,000 octets."""

FIELDS = 256
"""The most header fields of a head. More fields are 431. In memory, a short field takes 50 times its size on the
wire."""

CHUNK_LINE_BYTES = 256
"""The longest chunk-size line with its extensions. RFC 9112 7.1.1 demands a limit, because extensions contain no
data."""

TRAILER_BYTES = 8 * 1024
"""The largest trailer section (RFC 9112 7.1.2)."""

HEAD_SECONDS = 10
"""The longest time for a head to arrive. For the first head, the time starts with the connection; for a later one, with
its first byte."""

DISCARD_BYTES = 64 * 1024
"""If the application does not read the whole body, the server discards up to this number of bytes and keeps the
connection open. If more is left, it closes the connection."""

DISCARD_SECONDS = 10
"""The time for which the server waits for the rest of a body that it discards. After that, it closes the connection."""

LINGER_SECONDS = 2
"""The time for which the server still reads after its last response. If data stayed unread, the kernel would reset the
connection, and the client could lose the response (RFC 9112 9.6)."""

WRITE_SECONDS = 30
WRITE_BYTES = 240 * WRITE_SECONDS
"""The number of bytes of a waiting response that a client must read in each `WRITE_SECONDS`: 240 bytes a second, which
is the limit of IIS and Kestrel."""

UNSENT_BYTES = 512 * 1024 * 1024
"""The most bytes of responses that wait in memory for slow clients, in one process. Beyond it, the connection whose
client has read nothing for the longest time is closed. Without this limit, one signed URL in 4,096 connections that
read nothing takes 5 GB."""

SLOW_BEFORE_CLOSED_SECONDS = 5
"""At the limit of connections, a new one may replace one whose client has read nothing for this time."""

CONNECTIONS = 4096
"""The most connections of one process. With 64 KiB of head each, they need 256 MiB. One process works on far fewer
requests at a time, and a new connection replaces an idle one."""

IDLE_BEFORE_CLOSED_SECONDS = 1
"""A new connection may replace one that has been idle for this time. Before that, the first request of the idle
connection may be on its way."""

DESCRIPTORS_EACH = 3
"""The most file descriptors of one connection: its socket and, for an upload, the file and the lock of its path."""

RESERVED_DESCRIPTORS = 100
"""The file descriptors for other purposes than clients: Postgres, Valkey, the log, modules, metrics."""

log = logging.getLogger("dossier.server")


def raise_descriptor_limit() -> None:
    """Raise this process's soft limit of file descriptors as far as needed and allowed. Child processes inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = DESCRIPTORS_EACH * CONNECTIONS + RESERVED_DESCRIPTORS
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
    """Return the number of connections that this process accepts, so that it never runs out of file descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, max(1, (soft - RESERVED_DESCRIPTORS) // DESCRIPTORS_EACH))
