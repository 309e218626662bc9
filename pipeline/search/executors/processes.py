"""Processes on this machine that train trials, each on cores of its own."""

import contextlib
import multiprocessing
import multiprocessing.connection
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from pipeline import process
from pipeline.search.executors.contract import Finished
from pipeline.search.executors.worker import work
from pipeline.search.trial import StudyPlace, TrialJob


@dataclass
class _Worker:
    """A process that trains one trial at a time. job: the one it has now."""

    process: BaseProcess
    connection: Connection
    cores: list[int]
    job: TrialJob | None = None


class Processes:
    """`count` processes that train trials of the study at `place`: an Executor."""

    def __init__(self, count: int, place: StudyPlace):
        self._place = place
        self._workers = [self._start(cores) for cores in shares(process.usable_cores(), count)]

    def idle(self) -> int:
        return len(self._workers) - self.busy()

    def busy(self) -> int:
        return len(self._with_job())

    def _with_job(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job is not None]

    def give(self, job: TrialJob) -> None:
        worker = next(each for each in self._workers if each.job is None)
        worker.job = job
        # One that has just died is found by `wait`, with the job that it had.
        with contextlib.suppress(OSError):
            worker.connection.send(job)

    def wait(self, seconds: float) -> list[Finished]:
        by_connection = {worker.connection: worker for worker in self._with_job()}
        ready = multiprocessing.connection.wait(list(by_connection), seconds)
        return [self._finished(by_connection[connection]) for connection in ready]  # type: ignore[index]

    def _finished(self, worker: _Worker) -> Finished:
        done = _received(worker)
        worker.job = None
        if done.outcome is None:
            worker.process.join()
            self._workers[self._workers.index(worker)] = self._start(worker.cores)
        return done

    def _start(self, cores: list[int]) -> _Worker:
        # Spawned, not forked: a fork of a process whose libraries run threads can hang.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        # No daemon: that may not start the processes that decode images.
        started = context.Process(target=work, args=(theirs, cores))
        started.start()
        theirs.close()
        with contextlib.suppress(OSError):
            ours.send(self._place)
        return _Worker(started, ours, cores)

    def stop(self) -> list[Finished]:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        return [_received(worker) for worker in self._with_job()]


def _received(worker: _Worker) -> Finished:
    """What a worker has sent of its job, or that it died over it."""
    assert worker.job is not None
    try:
        outcome = worker.connection.recv()
    except (EOFError, OSError):
        outcome = None
    return Finished(worker.job, outcome)


def shares(cores: list[int], count: int) -> list[list[int]]:
    """The cores of each of `count` workers, as even as can be; with more workers than cores, some share one."""
    if count >= len(cores):
        return [[cores[number % len(cores)]] for number in range(count)]
    return [cores[number::count] for number in range(count)]
