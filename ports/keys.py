"""API keys at rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import ApiKey, Plan
from domain.ids import KeyId, WorkspaceId
from domain.pages import Page
from ports.intents import Intent, KeyReused


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A key, active or not, and the plan of its workspace."""

    key: ApiKey
    plan: Plan


@dataclass(frozen=True, slots=True)
class KeyAdded:
    """The key is kept, durably."""


@dataclass(frozen=True, slots=True)
class KeyReplayed:
    """The same intent was carried out before: the key as it was then, and what was sealed with it."""

    key: ApiKey
    sealed: bytes


@dataclass(frozen=True, slots=True)
class NameTaken:
    """An active key of the workspace has that name."""


AddOutcome = KeyAdded | KeyReplayed | KeyReused | NameTaken


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """The key's life has ended, now or before. `replayed` when the same intent was carried out before."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class NoSuchKey:
    """The workspace has no key of that id."""


@dataclass(frozen=True, slots=True)
class LastAdmin:
    """No other active key of the workspace may administer keys: so this one stays."""


RevokeOutcome = KeyRevoked | KeyReused | NoSuchKey | LastAdmin


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some of the keys that were sought, and how many there are of them."""

    keys: Sequence[ApiKey]
    total: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key of a workspace was presented at that time."""

    workspace_id: WorkspaceId
    key_id: KeyId
    at: datetime


class ApiKeys(Protocol):
    async def find(self, digest: bytes) -> KeyFound | None:
        """The key whose SHA-256 is `digest`."""
        ...

    async def add(self, key: ApiKey, intent: Intent | None = None, sealed: bytes = b"") -> AddOutcome:
        """Keep a new key of a workspace that exists, with the receipt that holds `sealed`, and the event.

        Decided under one lock of the workspace: a receipt of the same Idempotency-Key that is younger than 24 hours
        answers (`KeyReplayed`, or `KeyReused` for another intent); a name that an active key has is `NameTaken`; else
        `KeyAdded`. Only that writes. An operator has no intent, and so no receipt.

        Safe to call again with the same key, whatever became of the call before: a key that is there is `KeyAdded`.
        """
        ...

    async def receipt(self, intent: Intent) -> KeyReplayed | KeyReused | None:
        """What `add` would answer from the receipt of this intent's key, if there is a receipt."""
        ...

    async def revoke(self, workspace: WorkspaceId, key: KeyId, at: datetime, intent: Intent | None) -> RevokeOutcome:
        """End a key's life, with the receipt and the event; a key revoked before stays as it was, and is no event.

        Decided under one lock of the workspace, a receipt first as by `add`. The last active key that may administer
        keys is kept (`LastAdmin`), but for an operator, who has no intent.
        """
        ...

    async def get(self, key: KeyId) -> ApiKey | None:
        """The key of that id, whosever it is: for operators."""
        ...

    async def all(self, workspace: WorkspaceId | None = None) -> Sequence[ApiKey]:
        """Every key, of every workspace or of one, oldest first: for operators."""
        ...

    async def search(self, workspace: WorkspaceId, text: str, page: Page, *, include_revoked: bool) -> KeyPage:
        """The keys of a workspace whose name contains `text`, in any letter case; the newest first."""
        ...

    async def note_uses(self, uses: Sequence[KeyUse]) -> None:
        """Remember when keys were last used. A time less than a minute after the one that is kept is passed over."""
        ...


class UsesOfKeys(Protocol):
    def note(self, key: KeyId, workspace: WorkspaceId, at: datetime) -> None:
        """Let it be known, soon and not more than once a minute, that the key was used. Costs next to nothing."""
        ...
