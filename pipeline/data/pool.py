"""Processes that share out work between all cores, and of which one may die or hang: that costs the item it had."""

import contextlib
import itertools
import multiprocessing
import multiprocessing.connection
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from pipeline import process
from pipeline.data import printed

Item = TypeVar("Item")

CHUNK = 64
# Who works longer than this on a chunk says how far it has come.
REPORT_SECONDS = 1.0
KILL_SECONDS = 5.0
# What decoding needs of other people's code: loaded once, so that a process that is forked from there starts at once.
# Nothing of `pipeline` is among it, since the server may find another copy of that.
LOADED_BEFORE = ["numpy", "PIL.Image", "PIL.ImageCms", "PIL.AvifImagePlugin", "PIL.TiffImagePlugin", "cv2"]


@dataclass(frozen=True)
class Lost:
    """What stands in place of a result where the process did not live to give one. reason: what became of it."""

    reason: str


@dataclass
class _Worker:
    """A process that works on some items at a time. items: those that it has not reported on yet."""

    process: BaseProcess
    connection: Connection
    seconds: float
    started: bool = False
    items: list = field(default_factory=list)
    deadline: float = 0

    def is_busy(self) -> bool:
        return bool(self.items) or not self.started

    def give(self, items: list) -> None:
        self.items, self.deadline = items, time.monotonic() + self.seconds
        # One that has just died is found when it is asked.
        with contextlib.suppress(OSError):
            self.connection.send(items)

    def has_done(self, results: list) -> list[tuple[Any, Any]]:
        """Take down what it reports; returns the items with their results."""
        done, self.items = self.items[: len(results)], self.items[len(results) :]
        self.started, self.deadline = True, time.monotonic() + self.seconds
        return list(zip(done, results, strict=True))

    def is_late(self) -> bool:
        return self.started and time.monotonic() > self.deadline

    def end(self) -> None:
        self.process.kill()
        # A process that waits for a dead network drive cannot even be killed.
        self.process.join(KILL_SECONDS)
        self.connection.close()


def map_on_all_cores(
    work: Callable[[Item], Any], items: Iterable[Item], count: int, seconds: float
) -> Generator[tuple[Item, Any], None, None]:
    """Each item with `work` of it, as they are done, computed by one process per core.

    count: how many items there are. An item over which its process dies, or that takes longer than `seconds`, comes
    with a `Lost`: those that a process had are tried again one by one, with nothing beside them, and one is blamed for
    a death only if a fresh process dies over it too. `work`, the items and the results have to be picklable.
    Raises what `work` raises.
    """
    remaining = iter(items)
    chunks = iter(lambda: list(itertools.islice(remaining, CHUNK)), [])
    workers = [_start(work, seconds) for _ in range(min(len(process.usable_cores()), -(-count // CHUNK)))]
    suspects: list[Item] = []
    try:
        while True:
            if not suspects:
                _give_out(workers, chunks)
            if busy := [worker for worker in workers if worker.is_busy()]:
                for worker in _ready(busy):
                    done = _reported(worker)
                    yield from done or []
                    if done is None:
                        suspects += worker.items
                        workers[workers.index(worker)] = _instead_of(worker, work)
            elif suspects:
                yield from _one_by_one(work, suspects, seconds)
                suspects = []
            else:
                return
    finally:
        for worker in workers:
            worker.end()


def _start(work: Callable, seconds: float) -> _Worker:
    # Forked from a server that has loaded a few libraries and runs nothing: a fork of this process, whose libraries run
    # threads, can hang.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED_BEFORE)
    ours, theirs = context.Pipe()
    started = context.Process(target=_serve, args=(theirs, work), daemon=True)
    started.start()
    theirs.close()
    return _Worker(started, ours, seconds)


def _give_out(workers: list[_Worker], chunks: Iterator[list]) -> None:
    for worker in workers:
        if worker.started and not worker.items and (chunk := next(chunks, None)):
            worker.give(chunk)


def _ready(busy: list[_Worker]) -> list[_Worker]:
    """Wait for workers that have something to say, have died or are late."""
    by_connection = {worker.connection: worker for worker in busy}
    deadlines = [worker.deadline for worker in busy if worker.started]
    wait = max(0, min(deadlines) - time.monotonic()) if deadlines else None
    ready = multiprocessing.connection.wait(list(by_connection), wait)
    return [by_connection[connection] for connection in ready] or [each for each in busy if each.is_late()]  # type: ignore[index]


def _reported(worker: _Worker) -> list[tuple[Any, Any]] | None:
    """What a worker that is ready has done; None if it died or is late. Raises what its work raised."""
    if worker.is_late() and not worker.connection.poll():
        return None
    try:
        results = worker.connection.recv()
    except (EOFError, OSError) as error:
        if worker.started:
            return None
        worker.process.join(KILL_SECONDS)
        raise RuntimeError(f"no process could be started (exit code {worker.process.exitcode})") from error
    if isinstance(results, Exception):
        raise results
    return worker.has_done(results)


def _one_by_one(work: Callable, items: list, seconds: float) -> Iterator[tuple[Any, Any]]:
    """Each item with its result, nothing beside it. One is blamed for a death only where it is a process's first."""
    worker, is_fresh = _start(work, seconds), True
    try:
        for item in items:
            done = _alone(worker, item)
            if not done and not is_fresh and not worker.is_late():
                worker = _instead_of(worker, work)
                done = _alone(worker, item)
            yield item, done[0][1] if done else _lost(worker)
            is_fresh = not done
            if not done:
                worker = _instead_of(worker, work)
    finally:
        worker.end()


def _instead_of(worker: _Worker, work: Callable) -> _Worker:
    worker.end()
    return _start(work, worker.seconds)


def _alone(worker: _Worker, item: Any) -> list[tuple[Any, Any]] | None:
    if not worker.started:
        _reported(worker)
    worker.give([item])
    _ready([worker])
    return _reported(worker)


def _lost(worker: _Worker) -> Lost:
    """What became of a process that did not report."""
    if worker.is_late():
        return Lost(f"decoding took longer than {worker.seconds:g} s")
    worker.process.join(KILL_SECONDS)
    code = worker.process.exitcode
    how = f"was killed (signal {-code})" if code is not None and code < 0 else f"ended (exit code {code})"
    return Lost(f"the process that decoded it {how}")


def _serve(connection: Connection, work: Callable) -> None:
    """Work on what is given, until there is no one left to work for."""
    # Whoever stops the parent stops this one.
    process.leave_signals_to_parent()
    process.exit_with_parent()
    printed.collect()
    connection.send([])
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            _work_on(connection, work, connection.recv())


def _work_on(connection: Connection, work: Callable, items: list) -> None:
    results, said = [], time.monotonic()
    for item in items:
        try:
            results.append(work(item))
        except Exception as error:
            error.add_note(f"in another process:\n{traceback.format_exc()}")
            connection.send(error)
            return
        if time.monotonic() - said > REPORT_SECONDS:
            connection.send(results)
            results, said = [], time.monotonic()
    if results:
        connection.send(results)
