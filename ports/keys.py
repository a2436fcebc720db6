"""API keys at rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import ApiKey, Plan
from domain.ids import KeyId, WorkspaceId


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A key, active or not, and the plan of its workspace."""

    key: ApiKey
    plan: Plan


class ApiKeys(Protocol):
    async def find(self, digest: bytes) -> KeyFound | None:
        """The key whose SHA-256 is `digest`."""
        ...

    async def add(self, key: ApiKey) -> None:
        """Keep a new key of a workspace that exists."""
        ...

    async def all(self, workspace: WorkspaceId | None = None) -> Sequence[ApiKey]:
        """Every key, of every workspace or of one, oldest first."""
        ...

    async def revoke(self, key: KeyId, at: datetime) -> bool:
        """End a key's life; a key revoked before stays as it was. `False` when there is no such key."""
        ...
