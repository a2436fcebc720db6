"""HTTP messages as bytes, for requests that a client library refuses to send."""

import http.client
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """The headers by lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.json["data"])

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["error"])

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of a response, from its head without the last empty line."""
    line, *lines = head.decode("latin-1").split("\r\n")
    fields = (text.partition(":") for text in lines)
    return int(line.split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}


def send(base_url: str, payload: bytes, *, more: bool = True) -> Answer | None:
    """Send `payload` and return the first response; None if the server closed without one. With `more=False`, the
    client closes its sending side at once."""
    where = urlsplit(base_url)
    with socket.create_connection((where.hostname, where.port or 80), timeout=20) as wire:
        try:
            wire.sendall(payload)
            if not more:
                return None
            answer = http.client.HTTPResponse(wire, method=payload.split(b" ", 1)[0].decode())
            try:
                answer.begin()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, headers, answer.read())
            finally:
                answer.close()
        except (ConnectionError, http.client.HTTPException):
            return None


def message(
    base_url: str, method: str, target: bytes, headers: Sequence[tuple[str, bytes]], body: bytes | None = None
) -> bytes:
    """Return a request as bytes. Nothing is checked or escaped; a header given twice is sent twice."""
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    given = {name.lower() for name, _ in headers}
    if "host" not in given:
        lines.append(b"Host: " + urlsplit(base_url).netloc.encode())
    lines += [name.encode() + b": " + value for name, value in headers]
    if body is not None and not given & {"content-length", "transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(body))
    if "connection" not in given:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def ask(
    base_url: str, method: str, target: bytes, headers: Sequence[tuple[str, bytes]], body: bytes | None = None
) -> Answer | None:
    return send(base_url, message(base_url, method, target, headers, body))
