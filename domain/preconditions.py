"""The conditions of a client on the state of a document that it changes (RFC 9110 13.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precondition:
    """The states (`Document.state`) in which a document may be changed.

    The document must be in one of the states in `allowed`, unless that is `None`, and in none of the states in
    `refused`.
    """

    allowed: frozenset[str] | None = None
    refused: frozenset[str] = frozenset()

    def holds(self, state: str) -> bool:
        """Return whether a document in this state may be changed."""
        return (self.allowed is None or state in self.allowed) and state not in self.refused


UNCONDITIONAL = Precondition()
"""Allows a change in every state."""
