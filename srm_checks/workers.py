"""Units spread over processes: results as they come, and a unit that crashes or hangs costs only itself."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ALONE: Final = 0.4  # seconds of work before more processes are worth their start


class TimeLimit(BaseException):
    """Raised inside a unit's judgement when its time is up; no `except Exception` holds it up."""


class Lost:
    """In place of a result: `kind` is "timeout" or "crash"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Raised:
    """An error on its way from a worker to the scan."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def default_jobs() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def run(
    items: Sequence[Item], work: Callable[[Item], Result], *, jobs: int | None, limit: float | None
) -> Iterator[tuple[int, Result | Lost]]:
    """(number of the item, result) for all items, in the order in which they are done.

    `jobs` None starts in this process and takes others in when there is work for them. `limit` is in seconds for one
    item. `work` must be picklable where processes cannot be forked.
    """
    numbers = deque(range(len(items)))
    if jobs is None or jobs == 1 or len(items) < 2:
        started = time.monotonic()
        while numbers:
            if jobs is None and len(numbers) > 1 and time.monotonic() - started > ALONE and default_jobs() > 1:
                break
            number = numbers.popleft()
            yield number, _limited(work, items[number], limit)
    if numbers:
        with _Pool(items, work, min(jobs or default_jobs(), len(numbers)), limit) as pool:
            yield from pool.run(numbers)


def _limited(work: Callable[[Item], Result], item: Item, limit: float | None) -> Result | Lost:
    """The work in this process, within its time where the system can tell."""
    if limit is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return work(item)

    def ring(number: int, frame: Any) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            return work(item)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeLimit:
        return Lost("timeout")
    finally:
        signal.signal(signal.SIGALRM, before)


class _Worker:
    """A process and what it is at."""

    def __init__(self, context: Any, items: Any, work: Any, others: Sequence[Connection]) -> None:
        self.connection, theirs = context.Pipe()
        # A forked child holds copies of our ends, and would keep its siblings waiting when we are gone.
        ours = [self.connection, *others] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=_serve, args=(theirs, items, work, ours), daemon=True)
        with _interrupts_held():
            self.process.start()
        theirs.close()
        self.number: int | None = None
        self.deadline: float | None = None

    def give(self, number: int, limit: float | None) -> None:
        self.number = number
        self.deadline = None if limit is None else time.monotonic() + limit
        with contextlib.suppress(OSError):  # it has died: the next look at it says so
            self.connection.send(number)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C comes after the block: Python swallows what is raised while a process forks, and a child has no answer."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Pool(Generic[Item, Result]):
    def __init__(self, items: Sequence[Item], work: Callable[[Item], Result], size: int, limit: float | None) -> None:
        forks = sys.platform == "linux"  # elsewhere system libraries do not survive it
        self._context = multiprocessing.get_context("fork" if forks else "spawn")
        self._items, self._work, self._size, self._limit = items, work, size, limit
        self._workers: list[_Worker] = []

    def __enter__(self) -> _Pool[Item, Result]:
        gc.collect()
        gc.freeze()  # what is shared with the children is not to be touched, and so not copied
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        gc.unfreeze()

    def run(self, numbers: deque[int]) -> Iterator[tuple[int, Result | Lost]]:
        sys.stdout.flush()
        sys.stderr.flush()
        for _ in range(self._size):
            self._start(numbers)
        while busy := [worker for worker in self._workers if worker.number is not None]:
            ready = wait([worker.connection for worker in busy], self._patience(busy))
            for worker in busy:
                assert worker.number is not None
                number = worker.number
                if worker.connection in ready:
                    result = self._receive(worker)
                    if isinstance(result, Lost):
                        self._replace(worker, numbers)
                    elif numbers:
                        worker.give(numbers.popleft(), self._limit)
                    else:
                        worker.number = None
                    yield number, result
                elif worker.deadline is not None and time.monotonic() > worker.deadline:
                    self._replace(worker, numbers)
                    yield number, Lost("timeout")

    def _start(self, numbers: deque[int]) -> None:
        if numbers:
            others = [worker.connection for worker in self._workers]
            worker = _Worker(self._context, self._items, self._work, others)
            self._workers.append(worker)
            worker.give(numbers.popleft(), self._limit)

    def _replace(self, worker: _Worker, numbers: deque[int]) -> None:
        self._workers.remove(worker)
        worker.end()
        self._start(numbers)

    @staticmethod
    def _patience(busy: Sequence[_Worker]) -> float | None:
        deadlines = [worker.deadline for worker in busy if worker.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) + 0.01 if deadlines else None

    @staticmethod
    def _receive(worker: _Worker) -> Any:
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            return Lost("crash")
        if isinstance(result, _Raised):
            raise result.error
        return result


def _serve(
    connection: Connection, items: Sequence[Item], work: Callable[[Item], Result], inherited: Sequence[Connection]
) -> None:
    """The life of a worker: numbers in, results out, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C, and ends its children
    for other in inherited:
        other.close()
    with contextlib.suppress(EOFError, OSError):
        while True:
            number = connection.recv()
            try:
                result: object = work(items[number])
            except Exception as error:  # noqa: BLE001  # it is raised again on the other side
                result = _Raised(error)
            connection.send(result)
