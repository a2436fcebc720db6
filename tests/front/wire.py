"""A TCP connection that sends any bytes and reads responses one by one."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

from tests.acceptance.raw import Answer, read_head

PROBE = b"GET /health/live HTTP/1.1\r\nHost: probe\r\nX-Request-ID: probe\r\n\r\n"


def target_of(url: str) -> bytes:
    """Return the target of a request for the URL."""
    where = urlsplit(url)
    return f"{where.path}?{where.query}".encode()


class Wire:
    def __init__(self, base_url: str, receive_buffer: int | None = None) -> None:
        where = urlsplit(base_url)
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect((where.hostname, where.port))
        self._received = b""

    def send(self, data: bytes) -> None:
        # A server that has refused the rest of a request may have closed the connection.
        with suppress(ConnectionError):
            self.socket.sendall(data)

    def response(self) -> Answer | None:
        """Return the next response, or None if the server has closed the connection."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        status, headers = read_head(head)
        body = b"" if status in (100, 204, 304) else self._exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def is_kept(self) -> bool:
        """Return whether the server answers another request. It must not have answered more than it was asked."""
        assert self._received == b""
        self.send(PROBE)
        answer = self.response()
        assert answer is None or (answer.status, answer.headers["x-request-id"]) == (200, "probe")
        return answer is not None

    def close(self) -> None:
        self.socket.close()

    def _until(self, end: bytes) -> bytes | None:
        while end not in self._received:
            if not self._more():
                assert self._received == b"", f"the server closed in the middle of {self._received!r}"
                return None
        found, _, self._received = self._received.partition(end)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            assert self._more(), "the server closed in the middle of a body"
        found, self._received = self._received[:count], self._received[count:]
        return found

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            return False
        self._received += piece
        return bool(piece)
