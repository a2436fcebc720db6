"""A cache of API keys in this process, so that most requests are authenticated without a database query."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from domain.ids import ApiKeyId
from ports.api_keys import ApiKeyFound, ApiKeyLookup

STALE_SECONDS = 1.0
"""The longest time for which an API key revoked in another process still works, or a changed plan goes unnoticed."""

FRESH_SECONDS = STALE_SECONDS / 2
KEYS_MAX = 10_000


class ApiKeyCache:
    """An `ApiKeyLookup` that calls another look-up at most twice a second for each API key.

    `seconds` is a monotonic clock. When a result is half a second old, one caller looks the API key up again. Until the
    new result arrives, the others use the old one, for at most another half second. Unknown API keys are not cached,
    because a client can send any number of them.
    """

    def __init__(self, keys: ApiKeyLookup, seconds: Callable[[], float] = monotonic, keys_max: int = KEYS_MAX) -> None:
        self._keys = keys
        self._seconds = seconds
        self._keys_max = keys_max
        # The time and the result of each look-up by digest, oldest first. It is no plain dict, because a dict scans all
        # deleted entries to find the oldest one.
        self._found: OrderedDict[bytes, tuple[float, ApiKeyFound]] = OrderedDict()
        self._asking: set[bytes] = set()

    async def find(self, digest: bytes) -> ApiKeyFound | None:
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
        # The entry is inserted again to keep the order of age. `now` was read before the look-up, because the result
        # may be that old.
        self._found.pop(digest, None)
        if found is not None:
            if len(self._found) >= self._keys_max:
                self._found.popitem(last=False)
            self._found[digest] = (now, found)
        return found

    def forget(self, key: ApiKeyId) -> None:
        # Revocations are rare, so emptying the cache is cheaper than a second index by id.
        self._found.clear()
        self._keys.forget(key)
