"""Answers the first request of a connection that the server accepted just before a shutdown.

`serve.py` and `workers.py` decide what a signal does.
"""

from app.server.protocol import Protocol

FIRST_REQUEST_SECONDS = 1.0
"""The time for which the server waits for the first request of a connection during a shutdown."""


class FirstRequestProtocol(Protocol):
    """The protocol class of `dossier serve`. During a shutdown, it still answers a connection that was just accepted.

    uvicorn closes such a connection at once, while its first request may be on its way. Without this class, a
    replacement of the workers breaks one connection in some thousands.
    """

    def shutdown(self) -> None:
        """Answer a request that is in progress or about to arrive, then close."""
        if self.awaits_first_request and not self.is_ending:
            self.is_ending = True
            self.loop.call_later(FIRST_REQUEST_SECONDS, self.shutdown)
        else:
            super().shutdown()
