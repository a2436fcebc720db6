"""The number of repetitions of each test: few in `make test`, thousands in `make soak`.

`make soak` sets SOAK=1, and shows its progress.
"""

import os
import sys
from typing import TypeVar

T = TypeVar("T")

# The name is not DOSSIER_SOAK, because servers refuse unknown settings.
SOAK = os.environ.get("SOAK", "") not in ("", "0")


def of(quick: T, long: T) -> T:
    """Return the count for this run."""
    return long if SOAK else quick


SERVER_KILLS = of(20, 2_000)
POSTGRES_KILLS = of(2, 20)
CUTS = of(40, 240)
CRASHES_BETWEEN = of(2, 50)
TWINS = of(60, 500)
TWIN_SERVERS = of(3, 8)
SILENCES = of(12, 80)


def progress(line: str) -> None:
    """Overwrite the last line of a long run."""
    if SOAK:
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
