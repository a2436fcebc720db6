"""The counters in Valkey, and the script that admits requests: a `limits` storage with one more operation.

The strategies of `limits` need one call per window, count refused requests, begin a window at its first request, and
read the clock themselves. This operation takes all windows of many requests in one call, and the time as an argument.
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
"""How long a counter outlives its window, so that processes whose clocks differ by less all find it."""

# ARGV has for each group the number of its requests and of its windows, then the limit and lifetime of each window.
# KEYS has the counters of the windows. The result is what was used of each window before the group, from which the
# caller derives the verdicts. It is one line of text, because the client takes longer to read a list. Valkey runs the
# script atomically.
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
            # The default is 5 s, which the client implements with one more task per command.
            "socket_timeout": None,
            # Sending them takes two more round trips per connection, and old servers refuse them.
            "lib_name": None,
            "lib_version": None,
            # A subject may contain any text that a client sends, and must not fail the other requests of its call.
            "encoding_errors": "surrogatepass",
        }
        if location.is_encrypted:
            # By default the client accepts the certificate of any host.
            options["ssl_check_hostname"] = True
        super().__init__(f"async+{location.url}", implementation="valkey", key_prefix=KEY_PREFIX, **options)

    async def count(self, groups: Sequence[Group]) -> list[list[int]]:
        """Admit from each group, in order, as many requests as all of its windows have left, in one atomic step.

        Returns what was used of each window before its group.

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
