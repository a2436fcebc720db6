"""Dossier as an operator runs it: a server process and a command line."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from .raw import ask

REPOSITORY = Path(__file__).resolve().parents[2]


def command() -> list[str]:
    """Return the command of the console script if it is installed, and otherwise that of the module."""
    script = Path(sys.executable).with_name("dossier")
    return [str(script)] if script.exists() else [sys.executable, "-m", "app.cli"]


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment of this process with no settings of Dossier but the given ones."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOSSIER_")}
    return inherited | {"DOSSIER_DATA_DIR": str(data_dir)} | settings


def eventually(holds: Callable[[], bool], within: float, event: str) -> None:
    """Poll until `holds` returns true. After `within` seconds, fail with a message that `event` did not happen."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"not within {within} s: {event}"
        time.sleep(0.05)


@contextmanager
def fresh_data_dir() -> Iterator[Path]:
    """Yield a new directory with a short path (for the socket of Postgres) and the usual permissions of a checkout."""
    path = Path(tempfile.mkdtemp(prefix="dsr-")).resolve()
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def postgres_processes(data_dir: Path) -> list[str]:
    """Return the command lines of the Postgres processes of `data_dir`. Its children have it only as their cwd."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            cwd = os.readlink(entry / "cwd")
        except OSError:
            continue  # the process has ended in the meantime
        if "postgres" in line and (str(data_dir) in line or cwd.startswith(str(data_dir))):
            found.append(f"{entry.name}: {line}")
    return found


@dataclass(frozen=True)
class ApiKey:
    id: str
    key: str


@dataclass(frozen=True)
class Cli:
    """The command line of one deployment, and the `Operator` who types there."""

    prefix: list[str]
    env: dict[str, str] | None

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *words],
            cwd=REPOSITORY,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """Run with --json and return the output, which must be one JSON object and nothing else."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict), done.stdout
        return answer

    def create_workspace(self, plan: str, quota: str) -> str:
        made = self.ask("workspace", "create", f"w-{uuid4()}", "--plan", plan, "--quota", quota)
        return str(made["id"])

    def set_quota(self, workspace: str, quota: str) -> None:
        self.ask("workspace", "update", workspace, "--quota", quota)

    def create_api_key(self, workspace: str, permissions: Sequence[str], tier: str) -> ApiKey:
        words = ["--workspace", workspace, "--name", f"k-{uuid4()}", "--tier", tier]
        for permission in permissions:
            words += ["--permission", permission]
        made = self.ask("keys", "create", *words)
        return ApiKey(made["id"], made["key"])

    def revoke_api_key(self, api_key_id: str) -> None:
        self.ask("keys", "revoke", api_key_id)


class Server:
    """One `dossier serve` on a data directory.

    It can be started repeatedly, each time on a new port. `settings` are further variables of its environment. With
    several `workers`, it counts as ready once one worker is ready.
    """

    def __init__(self, data_dir: Path, workers: int = 1, **settings: str) -> None:
        self.data_dir = data_dir
        self.workers = workers
        self.env = environment(data_dir, **settings)
        self.command = command()
        self.cli = Cli(self.command, self.env)
        self.port = 0
        # The log is not in the data directory, because two servers may share that.
        descriptor, log = tempfile.mkstemp(prefix=data_dir.name, suffix=".log")
        os.close(descriptor)
        self.log = Path(log)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.launch()
        self.wait_until_ready()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self, port: int = 0, terminal: IO[bytes] | None = None) -> None:
        """Begin to start the server, on a port that is free unless one is given. Without a terminal, it writes to the
        log."""
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.port = port
        workers = ["--workers", str(self.workers)] if self.workers > 1 else []
        with self.log.open("ab") as log:
            # In a session of its own, `stop(SIGINT)` can signal the whole group, as a terminal does.
            self.process = subprocess.Popen(
                [*self.command, "serve", "--host", "127.0.0.1", "--port", str(port), *workers],
                cwd=REPOSITORY,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=terminal or log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        try:
            eventually(self._ready, 100, f"{self.base_url}/health/ready answers 200")
        except AssertionError as error:
            raise AssertionError(f"{error}\nThe server said:\n{self.said()}") from None

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
        try:
            answer = ask(self.base_url, "GET", b"/health/ready", [])
        except OSError:
            return False
        return answer is not None and answer.status == 200

    def fails_to_start(self, reason: str, port: int = 0) -> None:
        """Launch the server, which must end, with this reason in its log and without a traceback."""
        self.launch(port)
        assert self.process is not None
        assert self.process.wait(60) == 1
        assert reason in self.said()
        assert "Traceback" not in self.said()

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-8000:] if self.log.exists() else ""

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Signal the server and return its exit code. A server that does not stop is killed, and the test fails."""
        assert self.process is not None
        if sign is signal.SIGINT:
            os.killpg(self.process.pid, sign)
        else:
            self.process.send_signal(sign)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running 20 s after {sign.name}:\n{self.said()}") from None

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.log.unlink(missing_ok=True)


@contextmanager
def running_server(workers: int = 1, **settings: str) -> Iterator[Server]:
    """Yield a started server on a new data directory, with these variables in its environment."""
    with fresh_data_dir() as data_dir, closing(Server(data_dir, workers, **settings)) as server:
        server.start()
        yield server
