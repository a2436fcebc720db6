"""Several worker processes on one socket. uvicorn's supervisor starts, replaces, restarts and stops them.

The workers share only that socket, the database, the object store, Valkey, and the directory of the metrics' counters.
"""

import asyncio
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar
from urllib.parse import urlsplit

import uvicorn
from litestar.types import ASGIApp
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from app.main import create_app
from app.settings import Settings, SettingsError

HEALTHCHECK_SECONDS = 20
"""If a worker does not answer a ping for this time, it is considered hung and is replaced. A starting worker does not
answer while it loads its modules, which takes seconds on a busy machine."""

STOP_SECONDS = 20
"""The longest time for all workers to stop: 10 s for their requests, and the rest for their last writes."""

START_SECONDS = 60
"""The longest time for a worker to start."""

_POLL_SECONDS = 0.1
_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"

log = logging.getLogger("dossier.workers")

T = TypeVar("T")


def check_workers(settings: Settings) -> None:
    """Check that the other settings allow this number of workers.

    Raises:
        SettingsError: there are several workers, and each would count only its own requests against the rate limits.
    """
    if settings.workers > 1 and urlsplit(settings.rate_limit_url).scheme == "memory":
        raise SettingsError(
            "DOSSIER_RATE_LIMIT_URL is memory://, with which each process counts for itself, so that "
            f"{settings.workers} workers would admit {settings.workers} times as many requests; set it to the "
            "URL of a Valkey or Redis, such as valkey://127.0.0.1:6379, or serve with one worker"
        )


def log_to_stderr() -> None:
    """Write this process's warnings and errors to standard error. Calling it again has no effect."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)


@contextmanager
def held_open(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Keep `context` open for the block, on an event loop in another thread. Yield its value."""
    opened: Future[T] = Future()
    closing: Future[None] = Future()

    async def hold() -> None:
        async with context as value:
            opened.set_result(value)
            await asyncio.wrap_future(closing)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(lambda: asyncio.run(hold()))
        try:
            futures: tuple[Future[Any], ...] = (opened, held)
            wait(futures, return_when=FIRST_COMPLETED)
            if held.done():
                held.result()  # raises the error if the context did not open
            yield opened.result()
        finally:
            closing.set_result(None)
    held.result()


def supervise(config: uvicorn.Config, listening: socket.socket) -> bool:
    """Serve with `config.workers` processes until SIGINT or SIGTERM. Return when all have ended.

    Return False if a worker could not start. SIGHUP replaces the workers one after the other. Call this in the
    main thread. It blocks the signals there, so another thread must exist that receives them.
    """
    # prometheus_client reads this variable when a worker imports it.
    with tempfile.TemporaryDirectory(prefix="dossier-counters-") as counters:
        os.environ[_COUNTERS] = counters
        # A process inherits the signal mask of the thread that starts it. With the signals blocked here, they reach
        # this process through its other threads. A Ctrl-C in the terminal neither kills a worker that is still loading
        # its modules, nor makes a serving worker drop accepted requests: only the supervisor stops the workers. The
        # mask is set twice, because starting Python's resource tracker unblocks two of the signals.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        supervisor = _Supervisor(config, [listening])
        supervisor.run()
        return not supervisor.has_failed


def worker_app(settings: Settings) -> ASGIApp:
    """Return the application of a worker. uvicorn calls this in the worker's main thread, when it handles signals."""
    log_to_stderr()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    return create_app(settings, prepared=True)


def _end_with_parent() -> None:
    """Stop this worker gracefully if the supervisor was killed. Otherwise it would run on and keep the port."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    shutil.rmtree(os.environ[_COUNTERS], ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)


class _Supervisor(Multiprocess):
    """uvicorn's supervisor with two changes: it handles workers that cannot start, and no wait delays a shutdown."""

    has_failed = False

    def init_processes(self) -> None:
        # Workers start one after the other. If none can start, the reason is logged once. If many loaded at once on few
        # cores, they would be so slow that they would be considered hung.
        while len(self.processes) < self.processes_num and not self._is_stopping():
            process = self._start()
            self.processes.append(process)
            if not self._confirms(process, process.is_ready, START_SECONDS) and not self._is_stopping():
                log.error("a worker %s before it was ready", _end_of(process))
                self.has_failed = True
                self.should_exit.set()

    def restart_all(self) -> None:
        for index, old in enumerate(self.processes.copy()):
            new = self._start()
            ready = self._confirms(new, new.is_ready, START_SECONDS)
            if not ready and not self._is_stopping():
                log.error("a new worker %s before it was ready; the running workers continue", _end_of(new))
                _kill(new)
                return
            self.processes[index] = new
            # The old worker moves to the end of the list while it finishes its requests, so that a shutdown waits for
            # it too.
            self.processes.append(old)
            old.terminate()
            if self._is_stopping():
                return
            end = time.monotonic() + STOP_SECONDS
            while old.process.is_alive() and time.monotonic() < end:
                old.process.join(_POLL_SECONDS)
                if self._is_stopping():
                    return
            _kill(self.processes.pop())

    def keep_subprocess_alive(self) -> None:
        # uvicorn stops all workers if one fails to start. At this point every worker has started once, so a failure
        # means that a dependency is unavailable: keep the other workers running.
        for index, process in enumerate(self.processes):
            well = self._confirms(process, process.ping, HEALTHCHECK_SECONDS)
            # A service manager may send SIGTERM to the workers too.
            if self._is_stopping():
                return
            if not well:
                log.error("worker %s %s; another one takes its place", process.pid, _end_of(process))
                _kill(process)
                self.processes[index] = self._start()

    def terminate_all(self) -> None:
        # The kernel accepts connections as long as any process listens. During the shutdown, no process would answer
        # them.
        for listening in self.sockets:
            listening.close()
        super().terminate_all()

    def join_all(self) -> None:
        end = time.monotonic() + STOP_SECONDS
        for process in self.processes:
            process.process.join(max(0, end - time.monotonic()))
            if process.process.is_alive():
                log.error("worker %s does not stop, and is killed", process.pid)
            _kill(process)

    def _start(self) -> Process:
        process = Process(self.config, self.sockets)
        process.start()
        return process

    def _is_stopping(self) -> bool:
        """Return whether the server shuts down. Other signals stay queued until the current action is done."""
        if signal.SIGINT in self.signal_queue or signal.SIGTERM in self.signal_queue:
            self.should_exit.set()
        return self.should_exit.is_set()

    def _confirms(self, process: Process, question: Callable[[float], bool], seconds: float) -> bool:
        """Call `question` until it returns true, for at most `seconds`, and return whether it did.

        Return false at once if the worker ends or the server shuts down.
        """
        end = time.monotonic() + seconds
        while process.process.is_alive() and time.monotonic() < end and not self._is_stopping():
            if question(_POLL_SECONDS):
                return True
            time.sleep(_POLL_SECONDS)
        return False


def _kill(process: Process) -> None:
    """Kill the process and wait for its end."""
    process.kill()
    process.join()


def _end_of(process: Process) -> str:
    return "hangs, and is killed" if process.process.is_alive() else f"ended with {process.exitcode}"
