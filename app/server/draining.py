"""How a server that ends treats a connection on which nothing has come yet."""

from app.server.protocol import Protocol

FIRST_REQUEST_SECONDS = 1.0
"""How long it waits for the first request."""


class DrainingProtocol(Protocol):
    """What `dossier serve` has uvicorn speak: nobody who has just been accepted is turned away.

    uvicorn closes such a connection at once. Its request is on the way, though, and when workers are replaced one after
    the other, that would be the one thing a caller notices of it: one connection in some thousands.
    """

    _has_begun = False
    _is_ending = False

    def shutdown(self) -> None:
        """Answer what is under way or just beginning, and close."""
        if self._has_begun or self._is_ending:
            super().shutdown()
        else:
            self._is_ending = True
            self.loop.call_later(FIRST_REQUEST_SECONDS, self.shutdown)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._has_begun = True
        if self._is_ending:
            self.cycle.keep_alive = False
