"""The failures of a statement that did nothing."""

from ports.system import Unavailable


class NotBegun(Unavailable):
    """A statement that did none of its work: it got no connection or no lock, or the server is a standby.

    So nothing was written, and the arguments of the statement did not cause the failure.
    """


class Locked(NotBegun):
    """A statement that got no lock in time."""
