"""A cache of API keys in this process, so that most requests are authenticated without a database query."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from adapters.in_process.api_key_look_ups import Pause, SharedLookUps, StoredApiKeys
from domain.ids import WorkspaceId
from ports.api_keys import ApiKeyFound

STALE_SECONDS = 1.0
"""The longest time for which an API key revoked in another process still works, or a changed plan goes unnoticed."""

REPORTED_SECONDS = 600.0
"""The longest time for which an API key is kept without being read again, while changes are reported."""

CALLS_MAX = 2
"""The number of calls that look up API keys at a time. Creates use the same connections, and need the others."""

PATIENT_SECONDS = 0.5
"""The minimum time between two calls that look up API keys of addresses that have presented too many wrong ones."""

KEYS_MAX = 15_000


class ApiKeyCache:
    """A cache of API keys. It implements `ApiKeyLookup` to read them, and `ApiKeyReports` to invalidate them.

    `seconds`: the monotonic clock that the reports use too. An entry is valid for ten minutes while the last
    confirmation of the reports is less than a second old, and otherwise for one second. After half of that time, the
    next request with this API key starts a refresh in the background, and does not wait for it. Unknown API keys are
    not kept, because a client can send any number of them.
    """

    def __init__(
        self,
        keys: StoredApiKeys,
        seconds: Callable[[], float] = monotonic,
        pause: Pause = asyncio.sleep,
        keys_max: int = KEYS_MAX,
    ) -> None:
        self._seconds = seconds
        self._keys_max = keys_max
        # The time and the result of each look-up by digest, oldest first. It is no plain dict, because a dict scans all
        # deleted entries to find the oldest one.
        self._found: OrderedDict[bytes, tuple[float, ApiKeyFound]] = OrderedDict()
        self._by_workspace: dict[WorkspaceId, set[bytes]] = {}
        self._reported_from = math.inf
        self._confirmed_at = -math.inf
        look_ups = (keys, self._keep, self._is_recent)
        self._look_ups = SharedLookUps(*look_ups, calls_max=CALLS_MAX, interval=0, seconds=seconds, pause=pause)
        # Apart from the others, so that wrong API keys delay only the API keys of their own address.
        self._patient_look_ups = SharedLookUps(
            *look_ups, calls_max=1, interval=PATIENT_SECONDS, seconds=seconds, pause=pause
        )

    def known(self, digest: bytes) -> ApiKeyFound | None:
        entry = self._found.get(digest)
        if entry is None:
            return None
        read_at, found = entry
        now = self._seconds()
        age = now - read_at
        limit = REPORTED_SECONDS if self._is_reported(read_at, now) else STALE_SECONDS
        if age < limit / 2:
            return found
        if age >= limit:
            return None
        self._look_ups.begin(digest)
        return found

    async def look_up(self, digest: bytes, *, patient: bool = False) -> ApiKeyFound | None:
        pending = self._look_ups.pending(digest)
        if pending is None:
            pending = (self._patient_look_ups if patient else self._look_ups).begin(digest)
        # The other callers still need the result if this one is cancelled.
        return await asyncio.shield(pending)

    def forget(self, workspace: WorkspaceId) -> None:
        for digest in self._by_workspace.pop(workspace, ()):
            del self._found[digest]
        self._look_ups.forget(workspace)
        self._patient_look_ups.forget(workspace)

    def begin(self, at: float) -> None:
        self._reported_from = at
        self._confirmed_at = at

    def changed(self, workspace: WorkspaceId) -> None:
        self.forget(workspace)

    def confirm(self, at: float) -> None:
        self._confirmed_at = at

    async def aclose(self) -> None:
        """Cancel all look-ups."""
        await self._look_ups.aclose()
        await self._patient_look_ups.aclose()

    def _is_reported(self, read_at: float, now: float) -> bool:
        """Return whether every change between `read_at` and a second ago has been reported."""
        return read_at >= self._reported_from and now - self._confirmed_at < STALE_SECONDS

    def _is_recent(self, began: float) -> bool:
        """Return whether a call that began then reads what was committed a second ago, or a report would repeat it."""
        now = self._seconds()
        return now - began < STALE_SECONDS or self._is_reported(began, now)

    def _keep(self, digest: bytes, read_at: float, found: ApiKeyFound | None) -> None:
        """Keep the result of a call that began at `read_at`, because the result may be that old."""
        kept = self._found.get(digest)
        if kept is not None:
            # A call that began later may have ended earlier.
            if kept[0] > read_at:
                return
            self._drop(digest)
        if found is not None:
            if len(self._found) >= self._keys_max:
                self._drop(next(iter(self._found)))
            # The entry is inserted at the end, which keeps the order of age.
            self._found[digest] = (read_at, found)
            self._by_workspace.setdefault(found.key.workspace_id, set()).add(digest)

    def _drop(self, digest: bytes) -> None:
        workspace = self._found.pop(digest)[1].key.workspace_id
        digests = self._by_workspace[workspace]
        digests.discard(digest)
        if not digests:
            del self._by_workspace[workspace]
