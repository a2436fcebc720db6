"""The load generator: wrk, one thread. Every request creates at a new path (load.lua), or all are one (repeat.lua)."""

import asyncio
import json
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.crowd import Crowd
from bench.facts import FILE_BYTES

MOST_A_SECOND = 15_000
"""More than any contender answers: what is stocked for a run."""

_FOLDER = Path(__file__).parent
_TIMEOUT = "10s"


class Refused(Exception):
    """A create was not answered 201, or another request not 2xx: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What wrk counted. `issued` is how many requests it made up; a few were not sent or not answered in time.

    Latencies are wrk's: after an answer that took more than twice the mean it adds those that the requests would have
    had which were not sent meanwhile. So p99 is not flattered by the few connections.
    """

    requests: int
    issued: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int


def require_wrk() -> str:
    """Where wrk is; without it, say how it is installed and end."""
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
    base_url: str, crowd: Crowd, *, first: int, connections: int, seconds: int, keyed: bool
) -> asyncio.subprocess.Process:
    """wrk on its way: for `seconds`, or until `stop`."""
    return await _wrk(
        "load.lua", base_url, connections, seconds, str(crowd.accounts), str(first), str(int(keyed)), str(FILE_BYTES)
    )


async def start_repeating(
    base_url: str, request: Path, *, connections: int, seconds: int, keys: Path | None = None
) -> asyncio.subprocess.Process:
    """wrk on its way with the one request that the file holds, as it goes over the wire; for keys see many_keys.lua."""
    if keys is not None:
        return await _wrk("many_keys.lua", base_url, connections, seconds, str(request), str(keys))
    return await _wrk("repeat.lua", base_url, connections, seconds, str(request))


async def _wrk(
    script: str, base_url: str, connections: int, seconds: int, *arguments: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(require_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", _TIMEOUT, "-s", script, base_url),
        *("--", *arguments),
        # There the scripts find what they share.
        cwd=_FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def stop(wrk: asyncio.subprocess.Process) -> None:
    """Have it end now, with its summary."""
    wrk.send_signal(signal.SIGINT)


async def finish(wrk: asyncio.subprocess.Process) -> Answers:
    """Its summary, when it has ended.

    Raises:
        Refused: an answer had a status of 400 or more, a connection broke, or an answer took ten seconds.
    """
    output, _ = await wrk.communicate()
    lines = [line for line in output.decode(errors="replace").splitlines() if line.startswith("{")]
    if wrk.returncode != 0 or not lines:
        raise Refused(f"wrk ended with {wrk.returncode}:\n{output.decode(errors='replace')}")
    answers = Answers(**json.loads(lines[-1]))
    if answers.refused or answers.broken or not answers.requests:
        raise Refused(
            f"of {answers.requests} answers {answers.refused} were refusals; {answers.broken} connections broke or "
            "timed out"
        )
    return answers
