"""The options of a run, and the parts that it may measure."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import servers
from bench.contenders import BEFORE, CONTENDERS
from bench.growth.cases import SIZES

NEIGHBOURS = "neighbours"
STORAGE = "object storage"
ADMISSION = "admission"
WORKERS = "workers"
GROWTH = "growth"
WORKSPACES = "growth of the number of workspaces"
"""The names by which `--only` selects the parts that do not compare contenders."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run. `only` is part of the name of a contender or of another part; empty selects all."""

    rounds: int
    seconds: int
    creates: int
    results: Path
    only: str
    most: int
    """Documents in the largest workspace or deployment of the parts about growth; 0 skips them."""
    before: Path | None
    """Another checkout of Dossier, which is measured beside this one."""

    def wants(self, part: str) -> bool:
        """Return whether to measure this contender or part."""
        if part == BEFORE and self.before is None:
            return False
        return self.only.lower() in part.lower()

    @property
    def wants_comparison(self) -> bool:
        """Return whether any part needs the contenders."""
        return any(map(self.wants, (*CONTENDERS, NEIGHBOURS)))

    @property
    def wants_servers(self) -> bool:
        """Return whether any part sends HTTP requests."""
        return self.wants_comparison or any(map(self.wants, (STORAGE, ADMISSION, WORKERS)))

    def wants_growth(self, part: str) -> bool:
        """Return whether to measure a part about growth, which needs only Postgres."""
        return self.most > 0 and self.wants(part)


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure Dossier beside Postgres alone, a bare handler and plain services."
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=2, help="length of each run")
    parser.add_argument(
        "--creates", type=int, default=100_000, help="creates while memory is measured; 0 skips that part"
    )
    parser.add_argument(
        "--results", type=Path, default=servers.REPOSITORY / "bench" / "results", help="folder of the results"
    )
    parser.add_argument(
        "--only",
        default="",
        help="measure one part: part of a contender's name, or neighbours, storage, admission, workers, growth, "
        "workspaces",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=SIZES[-1],
        help="documents in the largest workspace or deployment of the parts about growth; 0 skips them",
    )
    parser.add_argument(
        "--before",
        type=lambda folder: Path(folder).resolve(),
        help="another checkout of Dossier, to compare the creates and reads of both",
    )
    return Options(**vars(parser.parse_args(arguments)))


def note(line: str) -> None:
    """Write a line of progress to standard error."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
