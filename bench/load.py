"""The load generator: wrk with one thread. Its requests are creates (load.lua) or repeat requests (repeat.lua)."""

import asyncio
import json
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.crowd import Crowd
from bench.facts import FILE_BYTES

MAX_CREATES_PER_SECOND = 15_000
"""More creates per second than any contender reaches: the number of objects stored for a run."""

_FOLDER = Path(__file__).parent
_TIMEOUT = "10s"


class Refused(Exception):
    """The run is invalid, because a create did not get 201 or another request did not get a 2xx."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The counts of wrk. `issued` counts generated requests; a few of them were not sent or not answered in time.

    wrk corrects its latencies: after a response that took more than twice the mean, it adds the latencies of the
    requests that were delayed meanwhile. So the small number of connections does not flatter p99.
    """

    requests: int
    issued: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int


def require_wrk() -> str:
    """Return the path of wrk. If it is not installed, exit with instructions."""
    found = shutil.which("wrk")
    if found is None:
        sys.stderr.write(
            "make bench needs the load generator wrk, and it is not on PATH. Install it with\n"
            "    apt-get install wrk      (Debian, Ubuntu)\n"
            "    brew install wrk         (Homebrew)\n"
        )
        sys.exit(2)
    return found


async def start(
    base_url: str,
    crowd: Crowd,
    *,
    first: int,
    connections: int,
    seconds: int,
    idempotent: bool,
    description: int = 0,
) -> asyncio.subprocess.Process:
    """Start wrk with creates, for `seconds` or until `stop`. `description`: the length of each one's description."""
    return await _wrk(
        "load.lua",
        base_url,
        connections,
        seconds,
        str(crowd.accounts),
        str(first),
        str(int(idempotent)),
        str(FILE_BYTES),
        str(description),
    )


async def start_repeating(
    base_url: str, requests: Path, *, connections: int, seconds: int
) -> asyncio.subprocess.Process:
    """Start wrk with the raw requests in the file, which NUL bytes separate."""
    return await _wrk("repeat.lua", base_url, connections, seconds, str(requests))


async def _wrk(
    script: str, base_url: str, connections: int, seconds: int, *arguments: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(require_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", _TIMEOUT, "-s", script, base_url),
        *("--", *arguments),
        # The scripts find their common module in this folder.
        cwd=_FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def abort(wrk: asyncio.subprocess.Process) -> None:
    """End a run whose summary does not matter."""
    if wrk.returncode is None:
        wrk.kill()
    await wrk.communicate()


def stop(wrk: asyncio.subprocess.Process) -> None:
    """End the run now; wrk still prints its summary."""
    wrk.send_signal(signal.SIGINT)


async def finish(wrk: asyncio.subprocess.Process) -> Answers:
    """Return the summary once wrk has ended.

    Raises:
        Refused: a response had a status of 400 or more, a connection broke, or a response took ten seconds.
    """
    output, _ = await wrk.communicate()
    lines = [line for line in output.decode(errors="replace").splitlines() if line.startswith("{")]
    if wrk.returncode != 0 or not lines:
        raise Refused(f"wrk exited with {wrk.returncode}:\n{output.decode(errors='replace')}")
    answers = Answers(**json.loads(lines[-1]))
    if answers.refused or answers.broken or not answers.requests:
        raise Refused(
            f"of {answers.requests} responses {answers.refused} were errors; {answers.broken} connections broke or "
            "timed out"
        )
    return answers
