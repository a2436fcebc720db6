"""The clients' own record of a workspace, kept outside of Dossier: their requests and the responses."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from tests.acceptance.raw import Answer

from .deployment import Workspace
from .fleet import Fleet
from .wire import Interrupted, message, send

PATIENCE = 90
"""Seconds within which a client with an idempotency key, which retries, must be answered."""


@dataclass
class Intent:
    """One document that a client wants recorded."""

    storage_path: str
    size: int
    key: str | None
    request: bytes
    answers: list[Answer] = field(default_factory=list)
    """Every response of status 201, in order."""
    delete_key: str | None = None
    """The idempotency key of the delete, if the document was deleted."""


class Ledger:
    """The intents of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.intents: list[Intent] = []
        self.acknowledged = 0
        """The number of intents that were answered."""
        self.interrupted = 0
        """The number of requests that were never answered."""
        self.unavailable = 0
        """The number of requests that were answered 503."""
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()

    def __str__(self) -> str:
        return (
            f"{len(self.intents)} intents, {self.acknowledged} acknowledged, "
            f"{self.interrupted} interrupted, {self.unavailable} unavailable"
        )

    def intend(self, count: int, *, keyed: bool = True) -> Sequence[Intent]:
        """Make new intents with stored bytes of different sizes."""
        made = [self._intend(keyed) for _ in range(count)]
        self.intents += made
        return made

    def note(self, intent: Intent, reply: Answer) -> None:
        """Record the response to a create that must not be refused: 201, or 503 with Retry-After."""
        if reply.status == 503:
            assert reply.headers["retry-after"].isdigit()
            self.unavailable += 1
            return
        assert reply.status == 201, reply
        assert reply.data["storage_path"] == intent.storage_path
        assert reply.headers["location"] == f"/v1/documents/{reply.data['id']}"
        self.acknowledged += not intent.answers
        intent.answers.append(reply)
        self._news.set()

    async def until_acknowledged(self, count: int) -> None:
        """Wait until this many intents are acknowledged."""
        while self.acknowledged < count:
            self._news.clear()
            await self._news.wait()

    async def send_once(self, intent: Intent, port: int) -> Answer:
        """Send the intent to one server and record the response."""
        reply = await send(port, intent.request)
        self.note(intent, reply)
        return reply

    async def send_until_acknowledged(self, intent: Intent, fleet: Fleet) -> None:
        """Send the intent to server after server until it is acknowledged, as a client with an idempotency key does."""
        self.note(intent, await self._retry(intent.request, fleet))

    async def delete_until_acknowledged(self, intent: Intent, fleet: Fleet) -> None:
        """Delete the document of an acknowledged intent, and send the delete once more: that must be a replay."""
        intent.delete_key = str(uuid4())
        target = f"/v1/documents/{intent.answers[0].data['id']}"
        request = message("DELETE", target, self.workspace.key, {"Idempotency-Key": intent.delete_key})
        # A 404 would be wrong even for a retry: the receipt of the first request answers it.
        first, second = [await self._retry(request, fleet) for _ in range(2)]
        assert first.status == 204, first
        assert second.status == 204, second
        assert second.replayed

    async def _retry(self, request: bytes, fleet: Fleet) -> Answer:
        """Send the request to one server after the other. Return the first response that is not 503."""
        node = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    node = fleet.another(node)
                    try:
                        reply = await send(node.port, request)
                    except Interrupted:
                        self.interrupted += 1
                        continue
                    if reply.status != 503:
                        return reply
                    self.unavailable += 1
                    await asyncio.sleep(int(reply.headers["retry-after"]))
        except TimeoutError:
            raise AssertionError(f"no answer after {PATIENCE} s of retries: {request!r}") from None

    def _intend(self, keyed: bool) -> Intent:
        number = next(self._numbers)
        size = number * 37 % 997 + 1
        path = self.workspace.store(size)
        key = str(uuid4()) if keyed else None
        document = {
            "name": f"{number}.bin",
            "mime_type": "application/octet-stream",
            "storage_path": path,
            "folder": f"/crash/{number % 7}/{number % 3}",
            "tags": ["crash", f"n{number % 5}"],
        }
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        body = json.dumps(document).encode()
        return Intent(path, size, key, message("POST", "/v1/documents", self.workspace.key, headers, body))
