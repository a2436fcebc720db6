"""API keys as they were at most a second ago: what every request asks is not asked of the database every time."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from domain.access import ApiKey
from domain.ids import KeyId, WorkspaceId
from domain.pages import Page
from ports.intents import Intent, KeyReused
from ports.keys import AddOutcome, ApiKeys, KeyFound, KeyPage, KeyReplayed, KeyUse, RevokeOutcome

STALE_SECONDS = 1.0
"""How long a key that was revoked elsewhere may go on working, and a changed plan stay unnoticed."""

FRESH_SECONDS = STALE_SECONDS / 2
KEYS_MAX = 10_000


class RecentKeys:
    """`ApiKeys` that asks another about twice a second for each key. `seconds` is a clock that never steps back.

    Half a second after the last answer one caller asks anew, and the others go on with what is kept until it comes, for
    another half second at the most. Only what was found is kept: keys that nobody has are as many as somebody cares to
    make up.
    """

    def __init__(self, keys: ApiKeys, seconds: Callable[[], float] = monotonic, keys_max: int = KEYS_MAX) -> None:
        self._keys = keys
        self._seconds = seconds
        self._keys_max = keys_max
        # By digest, the oldest first: what was found, and when it was asked for.
        # A plain dict would walk over all that was dropped to find the oldest.
        self._found: OrderedDict[bytes, tuple[float, KeyFound]] = OrderedDict()
        self._asking: set[bytes] = set()

    async def find(self, digest: bytes) -> KeyFound | None:
        now = self._seconds()
        kept = self._found.get(digest)
        if kept is not None:
            age = now - kept[0]
            if age < FRESH_SECONDS or (age < STALE_SECONDS and digest in self._asking):
                return kept[1]
        self._asking.add(digest)
        try:
            found = await self._keys.find(digest)
        finally:
            self._asking.discard(digest)
        # Put anew, so that the order stays that of age. `now` is from before the question: the answer may be as old.
        self._found.pop(digest, None)
        if found is not None:
            if len(self._found) >= self._keys_max:
                self._found.popitem(last=False)
            self._found[digest] = (now, found)
        return found

    async def add(self, key: ApiKey, intent: Intent | None = None, sealed: bytes = b"") -> AddOutcome:
        return await self._keys.add(key, intent, sealed)

    async def receipt(self, intent: Intent) -> KeyReplayed | KeyReused | None:
        return await self._keys.receipt(intent)

    async def revoke(self, workspace: WorkspaceId, key: KeyId, at: datetime, intent: Intent | None) -> RevokeOutcome:
        outcome = await self._keys.revoke(workspace, key, at, intent)
        self._found.clear()
        return outcome

    async def get(self, key: KeyId) -> ApiKey | None:
        return await self._keys.get(key)

    async def all(self, workspace: WorkspaceId | None = None) -> Sequence[ApiKey]:
        return await self._keys.all(workspace)

    async def search(self, workspace: WorkspaceId, text: str, page: Page, *, include_revoked: bool) -> KeyPage:
        return await self._keys.search(workspace, text, page, include_revoked=include_revoked)

    async def note_uses(self, uses: Sequence[KeyUse]) -> None:
        await self._keys.note_uses(uses)
