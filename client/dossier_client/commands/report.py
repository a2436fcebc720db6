"""What the commands print: progress for people, or one JSON object a line for scripts."""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from dossier_client.commands.jobs import check

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for scripts.")
jobs_option = click.option(
    "--jobs", default=4, show_default=True, type=click.IntRange(1, 64), help="Files that are transferred at once."
)


class Report:
    """The progress of many transfers. Any number of threads may call it.

    Bars appear only on a terminal, and are written to standard error. Standard output gets a line for each file with
    `--json`, and nothing otherwise. `counts` has the number of files by their result.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._as_json = as_json
        self._lock = threading.Lock()
        shown = not as_json and sys.stderr.isatty()
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not shown,
        )
        self._whole = self._bars.add_task("all", total=0)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @contextmanager
    def transfer(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Show a bar for a file of `size` bytes. Yield the function that takes the bytes transferred so far."""
        bar = self._bars.add_task(name[-40:], total=size)
        with self._lock:
            self._bars.update(self._whole, total=(self._bars.tasks[0].total or 0) + size)
        done = 0

        def progress(transferred: int) -> None:
            nonlocal done
            check()
            self._bars.update(bar, completed=transferred)
            self._bars.advance(self._whole, transferred - done)
            done = transferred

        try:
            yield progress
        finally:
            self._remove(bar)

    def _remove(self, bar: TaskID) -> None:
        self._bars.remove_task(bar)

    def file(self, name: str, result: str, **facts: object) -> None:
        """Report the result of one file: `recorded`, `present`, `failed` and the like."""
        with self._lock:
            self.counts[result] += 1
            if self._as_json:
                click.echo(json.dumps({"file": printable(name), "result": result, **facts}))
            elif result in {"failed", "skipped"}:
                self._bars.console.print(
                    f"{printable(name)}: {facts['reason']}", markup=False, highlight=False, soft_wrap=True
                )

    def finish(self, words: Mapping[str, str]) -> int:
        """Print the summary, in which `words` names the results. Return the exit code: 1 if a file failed."""
        if not self._as_json:
            parts = [f"{self.counts[result]:,} {word}" for result, word in words.items() if self.counts[result]]
            click.echo((", ".join(parts) or "Nothing to do") + ".", err=True)
        return 1 if self.counts["failed"] else 0


def printable(name: str) -> str:
    """Return a file name with what cannot be printed as an escape: bytes that are not UTF-8, and control characters."""
    text = name.encode(errors="backslashreplace").decode()
    return "".join(letter if letter.isprintable() or letter.isalnum() else repr(letter)[1:-1] for letter in text)
