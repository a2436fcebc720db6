"""The estimated cost of a write: the time that it adds to a call, in microseconds.

A call holds the workspace lock until it ends, so the sum of its costs is bounded. Most of the cost is searched text:
each group of three characters is an entry of an index, and each pair that is not ASCII is an entry of a second one.

Measured as the processor time of Postgres, in calls of 5 to 128 rows with random text, the most expensive kind: 1,000
characters took 1.8 ms in ASCII, 5.2 ms in Cyrillic and 14 ms in Chinese. A short row took 0.14 ms, and 50 tags of 60
characters 0.1 to 0.4 ms.
"""

COST_MAX = 100_000
"""The most cost of a call with several rows: 100 ms."""

SHARED_COST_MAX = 20_000
"""The most cost of a call with rows of several workspaces, which wait for each other: 20 ms."""

SHARED_ROW_COST_MAX = SHARED_COST_MAX // 2
"""The most cost of a row in such a call, of which expensive rows may take a half. A create that costs more goes in a
call of its own workspace.
"""

ROW_COST = 50
_CHARACTER_COST = 2
_FURTHER_BYTE_COST = 5
"""The cost of each byte of a character after its first one."""
_RECORD_BYTES = 10
"""The number of bytes of JSON that cost one microsecond."""


def create_cost(record: bytes, searched: str) -> int:
    """Return the cost of a create with this JSON and this searched text."""
    cost = ROW_COST + len(record) // _RECORD_BYTES + len(searched) * _CHARACTER_COST
    return cost if searched.isascii() else cost + (len(searched.encode()) - len(searched)) * _FURTHER_BYTE_COST
