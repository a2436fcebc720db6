"""The storage of API keys, and the lookup of a presented one."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import ApiKey
from domain.ids import ApiKeyId, WorkspaceId
from domain.pages import Page
from domain.rate_limits import Plan
from ports.intents import Intent
from ports.outcomes import IdempotencyKeyReused


@dataclass(frozen=True, slots=True)
class ApiKeyFound:
    """An API key, active or not, and the plan of its workspace."""

    key: ApiKey
    plan: Plan


@dataclass(frozen=True, slots=True)
class ApiKeyAdded:
    """The API key is stored, and the write is committed."""


@dataclass(frozen=True, slots=True)
class ApiKeyReplayed:
    """An earlier request with a like intent made the API key. Its record is as it was then; `sealed` is as it was
    stored."""

    key: ApiKey
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ApiKeyNameTaken:
    """An active API key of the workspace already has that name."""


AddApiKeyOutcome = ApiKeyAdded | ApiKeyReplayed | IdempotencyKeyReused | ApiKeyNameTaken


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked:
    """The API key is revoked, by this call or earlier. `replayed` is true if a receipt of a like intent was found."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class NoSuchApiKey:
    """The workspace has no API key with that id."""


@dataclass(frozen=True, slots=True)
class LastAdminApiKey:
    """No other active API key of the workspace may administer API keys, so this one is not revoked."""


RevokeApiKeyOutcome = ApiKeyRevoked | IdempotencyKeyReused | NoSuchApiKey | LastAdminApiKey


@dataclass(frozen=True, slots=True)
class ApiKeyPage:
    """One page of the matching API keys, and the number of all matching API keys."""

    keys: Sequence[ApiKey]
    total: int


@dataclass(frozen=True, slots=True)
class ApiKeyUse:
    """An API key of a workspace was presented at that time."""

    workspace_id: WorkspaceId
    key_id: ApiKeyId
    at: datetime


class ApiKeyLookup(Protocol):
    """The look-up of the API key that a request presents. It is a port of its own so that a cache can implement it."""

    def known(self, digest: bytes) -> ApiKeyFound | None:
        """Return the API key whose SHA-256 is `digest`, as it was at most a second ago, without a call.

        Return `None` if this process does not know its state of the last second.
        """
        ...

    async def look_up(self, digest: bytes, *, patient: bool = False) -> ApiKeyFound | None:
        """Return the API key whose SHA-256 is `digest`, as it was at most a second before this call; `None` if there is
        none.

        Callers of one digest share a look-up. If it fails, it fails for those who wait for it, and for no later caller.
        Cancelling one of them does not cancel it for the others. If an API key is changed during its look-up, the
        callers get the new state.

        `patient`: the API key is probably unknown. The caller may wait half a second longer, and all patient callers of
        this process together cause at most two calls a second. No other caller waits for them.
        """
        ...

    def forget(self, workspace: WorkspaceId) -> None:
        """Forget all API keys of a workspace, because one of them, or the plan, was just changed."""
        ...


class ApiKeyReports(Protocol):
    """What a process does with reports of changed API keys.

    A database that reports changes calls these methods. All times are in seconds of one monotonic clock.
    """

    def begin(self, at: float) -> None:
        """Expect a report of every change that is committed after `at`, until there are no more confirmations."""
        ...

    def changed(self, workspace: WorkspaceId) -> None:
        """An API key of the workspace was changed or deleted, or the plan of the workspace was changed."""
        ...

    def confirm(self, at: float) -> None:
        """All changes that were committed from `begin` until `at` have been reported."""
        ...


class ApiKeys(Protocol):
    """The API keys of all workspaces."""

    async def add(self, key: ApiKey, intent: Intent | None = None, sealed: bytes = b"") -> AddApiKeyOutcome:
        """Store a new API key of an existing workspace, with its event and with a receipt that contains `sealed`.

        Decided under the workspace lock, in this order: a receipt of the same idempotency key that is younger than 24
        hours answers (`ApiKeyReplayed`, or `IdempotencyKeyReused` for another operation or fingerprint); a name that an
        active API key has is `ApiKeyNameTaken`; else `ApiKeyAdded`. Only `ApiKeyAdded` writes. An operator passes no
        intent, and so leaves no receipt.

        A caller may repeat the call with the same API key, whatever the first call did. If the API key is stored
        already, the outcome is `ApiKeyAdded` again.
        """
        ...

    async def receipt(self, intent: Intent) -> ApiKeyReplayed | IdempotencyKeyReused | None:
        """Return what `add` would report from the receipt of this intent; `None` if there is no receipt."""
        ...

    async def revoke(
        self, workspace: WorkspaceId, key: ApiKeyId, at: datetime, intent: Intent | None
    ) -> RevokeApiKeyOutcome:
        """Revoke an API key, and write a receipt and an event.

        If the API key was revoked earlier, it keeps its time, and no event is written. Decided under the workspace
        lock; a receipt is looked up first, as in `add`. The last active API key that may administer API keys is not
        revoked (`LastAdminApiKey`), except by an operator, who passes no intent.
        """
        ...

    async def find(self, digests: Sequence[bytes]) -> Sequence[ApiKeyFound]:
        """Return the API keys whose SHA-256 is among `digests`, active or not, in any order, in one call."""
        ...

    async def get(self, key: ApiKeyId) -> ApiKey | None:
        """Return the API key with that id in any workspace: for operators."""
        ...

    async def all(self, workspace: WorkspaceId) -> Sequence[ApiKey]:
        """Return every API key of the workspace, oldest first: for operators."""
        ...

    def pages(self) -> AsyncIterator[Sequence[ApiKey]]:
        """Yield every API key of all workspaces, by workspace, the oldest first, in pages: for operators."""
        ...

    async def search(self, workspace: WorkspaceId, text: str, page: Page, *, include_revoked: bool) -> ApiKeyPage:
        """Return the API keys of a workspace whose name contains `text`, in any letter case, newest first."""
        ...

    async def record_uses(self, uses: Sequence[ApiKeyUse]) -> None:
        """Store when API keys were last used. A use less than a minute after the stored one is skipped."""
        ...


class ApiKeyUses(Protocol):
    """The recording of uses of API keys. Every admitted request calls it, so it must cost next to nothing."""

    def note(self, key: ApiKeyId, workspace: WorkspaceId, at: datetime) -> None:
        """Remember the use. It is stored within seconds, at most once a minute for each API key."""
        ...
