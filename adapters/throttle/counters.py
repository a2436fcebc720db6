"""The counters in Valkey, and the script that decides about them: limits' storage, with one operation of ours.

limits' own strategies take a call for each window, count what is refused, begin a window at its first request, and read
the clock themselves. Ours takes all windows of many requests at once and the time with them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limits.aio.storage import RedisStorage
from valkey.exceptions import NoScriptError

from adapters.throttle.location import ValkeyLocation

API_KEY_PREFIX = "dossier"

LINGER_SECONDS = 60
"""How long a counter outlives its window. Processes whose clocks differ by less do not see it vanish too early."""

# For each group: how many requests and windows it has, then the limit and the lifetime of each window; KEYS has the
# windows' counters. Told is what was used of each window before the group, from which the rest follows. One line of
# text, because the client takes longer to read a list. Everything in here happens at one moment, to Valkey.
_SCRIPT = """\
local key, argument, told = 0, 1, {}
while argument <= #ARGV do
  local admitted, windows = tonumber(ARGV[argument]), tonumber(ARGV[argument + 1])
  local used = {}
  for window = 1, windows do
    used[window] = tonumber(redis.call('GET', KEYS[key + window]) or 0)
    told[#told + 1] = used[window]
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
return table.concat(told, ' ')
"""
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Counter:
    """One window of one subject: its end is in the name, so that the next one begins at nothing."""

    name: str
    limit: int
    seconds_left: int


@dataclass(slots=True)
class Group:
    """Equal requests, one after the other: they count in the same counters, in all or in none."""

    counters: Sequence[Counter]
    requests: int


class ValkeyCounters(RedisStorage):
    """Counts in one server. It sets no time limits: whoever calls does."""

    def __init__(self, location: ValkeyLocation) -> None:
        options: dict[str, Any] = {
            # By default 5 s, through a task of its own for each command.
            "socket_timeout": None,
            # Two more exchanges for each connection, which an old server refuses.
            "lib_name": None,
            "lib_version": None,
            # Subjects may hold anything a client sends; none of them may fail the others of its call.
            "encoding_errors": "surrogatepass",
        }
        if location.is_encrypted:
            # By default any host's certificate will do.
            options["ssl_check_hostname"] = True
        super().__init__(f"async+{location.url}", implementation="valkey", key_prefix=API_KEY_PREFIX, **options)

    async def count(self, groups: Sequence[Group]) -> list[list[int]]:
        """Admit of each group, in order, as many requests as all of its windows have left: all groups in one step.

        Returns what was used of each window before the group came.

        Raises:
            ValkeyError, OSError: it is not known whether anything was counted.
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
            # Valkey has started anew. Sent whole, it is known from now on.
            reported = await self.command("EVAL", _SCRIPT, len(keys), *keys, *arguments)
        numbers = map(int, reported.split())
        return [[next(numbers) for _ in group.counters] for group in groups]

    async def command(self, *words: str | int) -> Any:
        """What the server answers."""
        client: Any = self.bridge.storage  # type: ignore[attr-defined]  # limits' bridge to this client has it
        return await client.execute_command(*words)

    async def aclose(self) -> None:
        """Close all connections."""
        client: Any = self.bridge.storage  # type: ignore[attr-defined]
        await client.aclose()
