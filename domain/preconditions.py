"""What a client requires of the state of a document before it is changed (RFC 9110 13.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precondition:
    """The states (`Document.state`) in which a document may be changed.

    `allowed` are the only states in which it may be; `None` allows every state. `refused` are states in which it may
    not be.
    """

    allowed: frozenset[str] | None = None
    refused: frozenset[str] = frozenset()

    def holds(self, state: str) -> bool:
        """Return whether a document in this state may be changed."""
        return (self.allowed is None or state in self.allowed) and state not in self.refused


UNCONDITIONAL = Precondition()
"""Allows a change in every state."""
