"""A cache of API keys in this process, so that most requests need no database query for admission."""

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
    """`ApiKeyLookup` that asks another lookup about twice a second for each API key in use.

    `seconds` is a monotonic clock. Half a second after an answer, one caller asks again; until the new answer arrives,
    the others use the old one, for at most another half second. Unknown API keys are not cached: a client can make up
    any number of them.
    """

    def __init__(self, keys: ApiKeyLookup, seconds: Callable[[], float] = monotonic, keys_max: int = KEYS_MAX) -> None:
        self._keys = keys
        self._seconds = seconds
        self._keys_max = keys_max
        # By digest, in the order of age: when it was looked up, and the result. Not a plain dict, which would scan all
        # deleted entries to find the oldest.
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
        # Inserted again to keep the order of age. `now` was taken before the lookup, because the result may be as old.
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
