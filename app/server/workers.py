"""Several processes that answer on one socket: uvicorn's supervisor starts, replaces, restarts and stops them.

They share that socket, the database, the store, Valkey and a directory of counters, and nothing else.
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
"""A worker that says nothing for so long is taken for hung, and replaced. One that starts says nothing while it loads
its modules: seconds, on a machine that is busy."""

STOP_SECONDS = 20
"""How long workers have to end, all together: ten for their requests, and the rest for what is written at the end."""

START_SECONDS = 60
"""How long a worker has to start."""

_POLL_SECONDS = 0.1
_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"

log = logging.getLogger("dossier.workers")

T = TypeVar("T")


def check_workers(settings: Settings) -> None:
    """
    Raises:
        SettingsError: so many workers cannot be had with the other settings.
    """
    if settings.workers > 1 and urlsplit(settings.rate_limit_url).scheme == "memory":
        raise SettingsError(
            "DOSSIER_RATE_LIMIT_URL is memory://, where each process counts for itself, so that "
            f"{settings.workers} workers would let {settings.workers} times as many requests through; set it to the "
            "URL of a Valkey or Redis, such as valkey://127.0.0.1:6379, or serve with one worker"
        )


def log_to_stderr() -> None:
    """What goes wrong is said there, by this process; twice is as once."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)


@contextmanager
def held_open(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What `context` gives, until the end of the block; its event loop runs in a thread of its own meanwhile."""
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
                held.result()  # it has not opened; this raises why
            yield opened.result()
        finally:
            closing.set_result(None)
    held.result()


def supervise(config: uvicorn.Config, listening: socket.socket) -> bool:
    """Serve with `config.workers` processes until SIGINT or SIGTERM, and return when all have ended: False when one of
    them could not start. SIGHUP replaces them, one after the other. To be called in the main thread, beside another
    one."""
    # The library for metrics reads it when it is imported, in each worker.
    with tempfile.TemporaryDirectory(prefix="dossier-counters-") as counters:
        os.environ[_COUNTERS] = counters
        # A process inherits the mask of the thread that starts it. Held back here, signals reach us by our other
        # threads, while a Ctrl-C does not tear apart a worker that is still loading its modules, nor make one that
        # serves drop what it has accepted: it hears of the end from us alone. Held back twice, because Python lets two
        # of them through again when it starts the process that tidies up after the workers.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        supervisor = _Supervisor(config, [listening])
        supervisor.run()
        return not supervisor.has_failed


def worker_app(settings: Settings) -> ASGIApp:
    """The application of a worker: uvicorn asks for it in the worker's main thread, when it listens to signals."""
    log_to_stderr()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    return create_app(settings, prepared=True)


def _end_with_parent() -> None:
    """End this worker, in order, when the parent was killed: nobody else would, and it would keep the port."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    shutil.rmtree(os.environ[_COUNTERS], ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)


class _Supervisor(Multiprocess):
    """uvicorn's, but for what it does when a worker cannot start; and whatever it waits for, it hears when to end."""

    has_failed = False

    def init_processes(self) -> None:
        # One after the other: why none of them can start is said once, and many at once on few cores would be so slow
        # to load that they are taken for hung.
        while len(self.processes) < self.processes_num and not self._is_to_end():
            process = self._start()
            self.processes.append(process)
            if not self._says_yes(process, process.is_ready, START_SECONDS) and not self._is_to_end():
                log.error("a worker %s before it was ready", _end_of(process))
                self.has_failed = True
                self.should_exit.set()

    def restart_all(self) -> None:
        for index, old in enumerate(self.processes.copy()):
            new = self._start()
            ready = self._says_yes(new, new.is_ready, START_SECONDS)
            if not ready and not self._is_to_end():
                log.error("a new worker %s before it was ready; those that run go on", _end_of(new))
                _kill(new)
                return
            self.processes[index] = new
            # Last in the list while it drains, so that an end of all waits for it too.
            self.processes.append(old)
            old.terminate()
            if self._is_to_end():
                return
            end = time.monotonic() + STOP_SECONDS
            while old.process.is_alive() and time.monotonic() < end:
                old.process.join(_POLL_SECONDS)
                if self._is_to_end():
                    return
            _kill(self.processes.pop())

    def keep_subprocess_alive(self) -> None:
        # uvicorn's ends all when one cannot start. Ours have: what this one misses is away, and the others go on
        # without it until it is back.
        for index, process in enumerate(self.processes):
            well = self._says_yes(process, process.ping, HEALTHCHECK_SECONDS)
            # A service manager may tell the workers of the end too.
            if self._is_to_end():
                return
            if not well:
                log.error("worker %s %s; another one takes its place", process.pid, _end_of(process))
                _kill(process)
                self.processes[index] = self._start()

    def terminate_all(self) -> None:
        # The kernel accepts connections as long as anybody listens, and here nobody would answer them any more.
        for listening in self.sockets:
            listening.close()
        super().terminate_all()

    def join_all(self) -> None:
        end = time.monotonic() + STOP_SECONDS
        for process in self.processes:
            process.process.join(max(0, end - time.monotonic()))
            if process.process.is_alive():
                log.error("worker %s does not end, and is killed", process.pid)
            _kill(process)

    def _start(self) -> Process:
        process = Process(self.config, self.sockets)
        process.start()
        return process

    def _is_to_end(self) -> bool:
        """Whether all is to end. Other signals are left for when what goes on now is done."""
        if signal.SIGINT in self.signal_queue or signal.SIGTERM in self.signal_queue:
            self.should_exit.set()
        return self.should_exit.is_set()

    def _says_yes(self, process: Process, question: Callable[[float], bool], seconds: float) -> bool:
        """Whether it does in time. Not waited for when it has ended, or all is to end."""
        end = time.monotonic() + seconds
        while process.process.is_alive() and time.monotonic() < end and not self._is_to_end():
            if question(_POLL_SECONDS):
                return True
            time.sleep(_POLL_SECONDS)
        return False


def _kill(process: Process) -> None:
    """Nothing is left of it afterwards."""
    process.kill()
    process.join()


def _end_of(process: Process) -> str:
    return "hangs, and is killed" if process.process.is_alive() else f"ended with {process.exitcode}"
