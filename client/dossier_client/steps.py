"""What an operation asks of the client that runs it.

An operation is a generator. It yields steps, gets their results, and returns its value. It does no I/O itself, so the
blocking and the asynchronous client run the same operations.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")


class Body(Protocol):
    """The body of a request, which is read in pieces and may be read again for a retry."""

    @property
    def length(self) -> int:
        """The number of bytes."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes from the beginning."""
        ...


class Sink(Protocol):
    """What takes the body of a response. Only a 2xx response is written to it."""

    def begin(self, reply: "Reply") -> None:
        """Prepare for the body of this response."""
        ...

    def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the result is a `Reply`. If no response arrives, `NoReply` is raised in the operation."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None
    sink: Sink | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for some seconds; the result is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Call a function that reads or writes files; the result is None. The asynchronous client calls it in a thread."""

    function: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. `headers` has names in lower case. `body` is empty if a sink took it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoReply(Exception):
    """The connection failed, or broke before the response was complete. The server may have performed the request."""


Step: TypeAlias = Send | Pause | Work
Steps: TypeAlias = Generator[Step, Reply | None, T]
"""An operation that returns a `T`."""
