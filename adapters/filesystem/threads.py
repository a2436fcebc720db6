"""Threads in which file operations run, so that a hung file system stops neither the event loop nor other threads.

A system call on a hung network mount returns only when the mount does, and nothing can end it before. So each operation
runs in a thread and has a time limit. When it is over, the caller gets `Unavailable`, and the thread stays behind. The
number of threads is bounded: while all of them hang, further operations are refused at once. When the mount works
again, the hung threads return and take the next operations.

A thread never returns if only its file hangs, or if the mount was replaced by another one. So threads that hang while
others return are replaced, up to a limit. Every thread is a daemon, because a hung thread of the executor of asyncio
would delay the end of the process.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast
from weakref import finalize

from ports.system import Unavailable

T = TypeVar("T")

CHECK_SECONDS = 0.1
"""The interval at which time limits are checked while operations run."""

SPARE_THREADS = 12
"""The most hung threads that a pool replaces."""

SPARE_SECONDS = 10.0
"""After this time, a pool in which all threads hang tries one more. The next ones are tried after twice the time, four
times the time, and so on."""

PATIENCE = 0.002
"""A patience that suits reading the status of a file: a hundred times as long as that takes on a local disk."""


class Threads:
    """Up to `size` threads. Each is started when it is needed, and ends with this object.

    `patience` is the time in seconds for which the event loop blocks to wait for new operations: for all those together
    that were requested in one turn of the loop. Without patience, a thread must wake the loop, and competes with it for
    the interpreter. That takes several times as long as to read the status of a local file. If the operations take
    longer than the patience, the loop continues without them, and does not block again until an operation was quick.
    """

    def __init__(self, task: str, size: int, patience: float = 0.0) -> None:
        """`task` says in messages what the threads do, such as "read files"."""
        self._crew = _Crew(size)
        self._size = size
        self._spare_at = 0.0
        self._task = task
        self._patience = patience
        self._is_patient = patience > 0
        self._is_requested = False
        self._is_checking = False
        self._hung = 0
        self._unfinished: set[_Operation[Any]] = set()
        finalize(self, self._crew.dismiss)

    async def run(
        self,
        work: Callable[[], T],
        seconds: float,
        *,
        needed: bool = False,
        undo: Callable[[], object] | None = None,
    ) -> T:
        """Return the result of `work`, or raise its exception.

        If the caller gives up before `work` has begun, `work` is done only if it is `needed`; if it has begun, it goes
        on. Afterwards a thread calls `undo`.

        Raises:
            Unavailable: `work` did not end within `seconds`. Unless it is needed, also at once while all threads hang.
        """
        if self._hung >= self._crew.size and not needed and not self._tries_spare():
            raise Unavailable(f"the file system hangs: all threads that {self._task} wait for it")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        ends_at = time.monotonic() + seconds
        self._request(_Operation(loop, self._deliver, ends_at, work, needed, future, undo))
        result: T = await future
        return result

    def start(self, work: Callable[[], object]) -> None:
        """Let a thread do `work` as soon as one is free, however late that is. Do not wait for it."""
        loop = asyncio.get_running_loop()
        self._request(_Operation(loop, self._deliver, time.monotonic() + CHECK_SECONDS, work, needed=True))

    def _tries_spare(self) -> bool:
        """Return whether it is time to try one more thread, and allow it then."""
        if self._crew.size == self._size + SPARE_THREADS or time.monotonic() < self._spare_at:
            return False
        self._crew.size += 1
        return True

    def _request(self, operation: "_Operation[Any]") -> None:
        self._unfinished.add(operation)
        self._crew.waiting.append(operation)
        if not self._is_requested:
            self._is_requested = True
            operation.loop.call_soon(self._hand_over, operation.loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the requested operations to the threads."""
        self._is_requested = False
        if self._is_patient and len(self._unfinished) == len(self._crew.waiting) + self._hung:
            self._is_patient = self._crew.do_all_within(self._patience)
            self._deliver()
        if self._unfinished and not self._is_checking:
            self._is_checking = True
            loop.call_later(CHECK_SECONDS, self._check, loop)
        self._crew.wake(len(self._crew.waiting))

    def _deliver(self) -> None:
        """Give the results of ended operations to their callers."""
        for operation in self._crew.take_ended():
            self._unfinished.remove(operation)
            self._hung -= operation.is_hung
            if operation.seconds < math.inf:
                # The file system answered, so the threads that still hang may hang for ever.
                self._crew.size = self._size + min(self._hung, SPARE_THREADS)
            self._is_patient |= operation.seconds < self._patience
            if (undo := operation.deliver()) is not None:
                self.start(undo)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give up the operations whose time is over, and count the threads that hang."""
        now = time.monotonic()
        for operation in self._unfinished:
            if operation.ends_at <= now:
                operation.give_up(f"the file system hangs: a thread to {self._task} waits for it")
                if operation.is_begun and not operation.is_hung:
                    operation.is_hung = True
                    self._hung += 1
                    self._spare_at = now + SPARE_SECONDS * 2 ** (self._crew.size - self._size)
        self._is_checking = bool(self._unfinished)
        if self._is_checking:
            loop.call_later(CHECK_SECONDS, self._check, loop)


@dataclass(slots=True, eq=False)
class _Operation(Generic[T]):
    """A file operation, and its result. A thread calls `perform`; the event loop does everything else.

    `future` is `None` if no caller waits for the result.
    """

    loop: asyncio.AbstractEventLoop
    on_end: Callable[[], None]
    ends_at: float
    work: Callable[[], T]
    needed: bool
    future: "asyncio.Future[T] | None" = None
    undo: Callable[[], object] | None = None
    is_begun: bool = False
    is_hung: bool = False
    seconds: float = math.inf
    result: T | None = None
    error: BaseException | None = None

    def perform(self) -> None:
        """Do the work, unless its caller has given up."""
        self.is_begun = True
        if self.future is not None and self.future.done() and not self.needed:
            return
        began = time.monotonic()
        try:
            self.result = self.work()
        # Every exception belongs to the caller.
        except BaseException as error:  # noqa: BLE001
            self.error = error
        self.seconds = time.monotonic() - began

    def give_up(self, why: str) -> None:
        """Raise `Unavailable` in the caller, if one waits."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(Unavailable(why))

    def deliver(self) -> Callable[[], object] | None:
        """Give the caller the result. If the caller has given up, return what undoes the work."""
        if self.future is None or self.future.done():
            return self.undo
        if self.error is None:
            self.future.set_result(cast("T", self.result))
        else:
            self.future.set_exception(self.error)
        return None


class _Crew:
    """The threads of a pool, and what they share with the event loop. They do not refer to the pool, so it can end."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.waiting: deque[_Operation[Any]] = deque()
        self._ended: list[_Operation[Any]] = []
        self._lock = threading.Lock()
        self._wake = SimpleQueue[bool]()
        self._threads = 0
        self._idle = 0
        # The number of operations for whose end the event loop blocks, and the lock at which it does.
        self._awaited = 0
        self._all_ended = threading.Lock()
        self._all_ended.acquire()

    def wake(self, count: int) -> None:
        """Let up to `count` more threads take waiting operations."""
        with self._lock:
            for _ in range(count):
                if self._idle:
                    self._idle -= 1
                elif self._threads < self.size:
                    threading.Thread(target=self._serve, daemon=True).start()
                    self._threads += 1
                else:
                    return
                self._wake.put(True)

    def do_all_within(self, seconds: float) -> bool:
        """Let one thread do all waiting operations, and block until it has. Return whether it did within this time."""
        with self._lock:
            # A thread that has ended an operation may have taken all others already.
            if not self.waiting:
                return False
            self._awaited = len(self.waiting)
        self.wake(1)
        if self._all_ended.acquire(timeout=seconds):
            return True
        with self._lock:
            is_late, self._awaited = self._awaited > 0, 0
        # If they ended just now, the lock is released.
        return not is_late and self._all_ended.acquire()

    def take_ended(self) -> Sequence[_Operation[Any]]:
        """Return the operations that ended since the last call."""
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def dismiss(self) -> None:
        """End the threads, each as soon as it is idle."""
        for _ in range(self._threads):
            self._wake.put(False)

    def _serve(self) -> None:
        while self._wake.get():
            while (operation := self._next()) is not None:
                operation.perform()
                self._report(operation)

    def _next(self) -> _Operation[Any] | None:
        with self._lock:
            if self.waiting:
                return self.waiting.popleft()
            self._idle += 1
            return None

    def _report(self, operation: _Operation[Any]) -> None:
        """Report the end of an operation to the event loop."""
        with self._lock:
            self._ended.append(operation)
            if self._awaited:
                self._awaited -= 1
                if not self._awaited:
                    self._all_ended.release()
                return
            is_reported = len(self._ended) > 1
        if not is_reported:
            # The loop may have ended.
            with suppress(RuntimeError):
                operation.loop.call_soon_threadsafe(operation.on_end)
