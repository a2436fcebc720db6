"""The counters in Valkey, and the script that counts requests. The class is a storage of the library `limits` with one
more operation.

The strategies of `limits` need one call per window, count refused requests, begin a window at its first request, and
read the clock themselves. This operation counts many requests in all their windows in one call, and gets the time as an
argument.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limits.aio.storage import RedisStorage
from valkey.exceptions import NoScriptError

from adapters.throttle.location import ValkeyLocation

KEY_PREFIX = "dossier"

LINGER_SECONDS = 60
"""The time for which a counter stays after its window has ended, so that processes whose clocks differ by less still
find it."""

# For each group, ARGV contains the number of its requests and the number of its windows, then the limit and lifetime of
# each window. KEYS contains the counters of the windows. The result is how many requests each window had admitted
# before the group; from that, the caller computes the verdicts. It is one line of text, because the client takes longer
# to read a list. Valkey runs the script atomically.
_SCRIPT = """\
local key, argument, used_before = 0, 1, {}
while argument <= #ARGV do
  local admitted, windows = tonumber(ARGV[argument]), tonumber(ARGV[argument + 1])
  local used = {}
  for window = 1, windows do
    used[window] = tonumber(redis.call('GET', KEYS[key + window]) or 0)
    used_before[#used_before + 1] = used[window]
    admitted = math.min(admitted, tonumber(ARGV[argument + 2 * window]) - used[window])
  end
  if admitted > 0 then
    for window = 1, windows do
      if used[window] == 0 then
        redis.call('SET', KEYS[key + window], admitted, 'EX', ARGV[argument + 2 * window + 1])
      else
        redis.call('INCRBY', KEYS[key + window], admitted)
      end
    end
  end
  key, argument = key + windows, argument + 2 + 2 * windows
end
return table.concat(used_before, ' ')
"""
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Counter:
    """The counter of one window of one subject. Its name contains the end, so that the next window starts at zero."""

    name: str
    limit: int
    seconds_left: int


@dataclass(slots=True)
class Group:
    """Consecutive requests with equal counters. Each request counts in all of them or in none."""

    counters: Sequence[Counter]
    requests: int


class ValkeyCounters(RedisStorage):
    """The counters in one server. It has no timeouts: the caller sets them."""

    def __init__(self, location: ValkeyLocation) -> None:
        options: dict[str, Any] = {
            # The timeout is set to none, because the client implements its default (5 s) with one more task for each
            # command.
            "socket_timeout": None,
            # Otherwise the client would send its name and version, which takes two more round trips for each
            # connection, and old servers refuse it.
            "lib_name": None,
            "lib_version": None,
            # A subject may contain any text that a client sends. An encoding error must not fail the other requests of
            # the call.
            "encoding_errors": "surrogatepass",
        }
        if location.is_encrypted:
            # By default the client accepts the certificate of any host.
            options["ssl_check_hostname"] = True
        super().__init__(f"async+{location.url}", implementation="valkey", key_prefix=KEY_PREFIX, **options)

    async def count(self, groups: Sequence[Group]) -> list[list[int]]:
        """Admit requests of each group, in order, until one of its windows is full. All groups are decided in one
        atomic step.

        Returns how many requests each window had admitted before the group.

        Raises:
            ValkeyError, OSError: the requests may or may not have been counted.
        """
        keys: list[str] = []
        arguments: list[str | int] = []
        for group in groups:
            arguments += (group.requests, len(group.counters))
            for counter in group.counters:
                keys.append(self.bridge.prefixed_key(counter.name))
                arguments += (counter.limit, counter.seconds_left + LINGER_SECONDS)
        try:
            reported = await self.command("EVALSHA", _DIGEST, len(keys), *keys, *arguments)
        except NoScriptError:
            # Valkey lost the script in a restart. EVAL sends and stores it again.
            reported = await self.command("EVAL", _SCRIPT, len(keys), *keys, *arguments)
        numbers = map(int, reported.split())
        return [[next(numbers) for _ in group.counters] for group in groups]

    async def command(self, *words: str | int) -> Any:
        """Send a command and return the response."""
        client: Any = self.bridge.storage  # type: ignore[attr-defined]  # limits does not declare it
        return await client.execute_command(*words)

    async def aclose(self) -> None:
        """Close all connections."""
        client: Any = self.bridge.storage  # type: ignore[attr-defined]
        await client.aclose()
