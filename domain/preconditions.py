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

    @property
    def unmet(self) -> str:
        """The message for a client whose precondition does not hold."""
        if self.allowed is None:
            return (
                "The document is in a state that If-None-Match names, so it stays as it is; "
                "leave that header out to change it."
            )
        if not self.allowed:
            return "If-None-Match: * allows no change of a document that exists; leave that header out to change it."
        excluded = " or is in one that If-None-Match names" if self.refused else ""
        return (
            f"The document is no longer in a state that If-Match names{excluded}; "
            "read it again, and send the request with its new ETag in If-Match."
        )


UNCONDITIONAL = Precondition()
"""Allows a change in every state."""
