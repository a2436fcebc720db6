"""The intent of a request: who requests which operation, and the values by which a retry is recognised."""

from dataclasses import dataclass

from domain.access import Caller
from domain.idempotency import fingerprint
from domain.members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An operation that a caller requests, with the values by which a retry of the request is recognised.

    `idempotency_key` is the client's retry token, if it sent one: a UUID in lower case. `fingerprint` is 32 bytes that
    identify the operation, its target and the members as the client sent them.

    Two intents are *alike* if their workspace, idempotency key, operation and fingerprint are equal. The rest of the
    caller is not compared: a retry has another request id, and may come with another API key of the workspace.
    """

    operation: str
    caller: Caller
    idempotency_key: str | None
    fingerprint: bytes

    @classmethod
    def of(
        cls, operation: str, target: str, members: Members, *, caller: Caller, idempotency_key: str | None = None
    ) -> "Intent":
        """Return the intent of a request for `operation` on `target` with these `members`."""
        return cls(
            operation=operation,
            caller=caller,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint(operation, target, members),
        )
