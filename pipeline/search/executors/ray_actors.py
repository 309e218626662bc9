"""Actors on the nodes of a Ray cluster that train trials."""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from pipeline.cluster import parcels
from pipeline.errors import UserError, first_line, redacted, shown
from pipeline.search.executors.contract import Finished
from pipeline.search.executors.ray_worker import Answer, Errand, Look, Worker
from pipeline.search.trial import TrialJob
from pipeline.tracked.delivery import unpack

NODE = "ray.io/node-id"
# A node that was refused is asked again after this time: what was amiss with it may have been mended.
REFUSED_SECONDS = 120.0
# Workers that wait so long for room in the cluster are spoken of once.
WAITING_SECONDS = 60.0
# Workers that die one after the other before any of them could begin.
MOST_FAILED_STARTS = 5


@dataclass
class _Worker:
    """An actor. pending: the answer that is waited for. is_ready: whether it takes trials. job: the one it has."""

    actor: Any
    pending: "ray.ObjectRef | None"
    is_ready: bool = False
    job: TrialJob | None = None


class RayActors:
    """`count` actors that do `errand`, on whichever nodes have room for them: an Executor.

    Where there is no room for all of them, the others begin when a node joins. cpus, gpus: of each, fractions allowed.
    """

    def __init__(self, count: int, errand: Errand, cpus: float, gpus: float):
        self._errand = errand
        # Neither an actor nor its work is repeated by Ray: how often a trial is tried is the owner's to say.
        fixed = {"max_restarts": 0, "max_task_retries": 0}
        self._kind = ray.remote(Worker).options(num_cpus=cpus, num_gpus=gpus, **fixed)
        self._room = f"{cpus:g} CPUs" + (f" and {gpus:g} GPUs" if gpus else "")
        self._refused: dict[str, float] = {}
        self._said: set[str] = set()
        self._failed_starts = 0
        self._data: list[parcels.File] | None = None
        self._started = time.monotonic()
        self._workers = [self._start() for _ in range(count)]

    def idle(self) -> int:
        return sum(worker.is_ready and worker.job is None for worker in self._workers)

    def busy(self) -> int:
        return sum(worker.job is not None for worker in self._workers)

    def give(self, job: TrialJob) -> None:
        worker = next(each for each in self._workers if each.is_ready and each.job is None)
        worker.job, worker.pending = job, worker.actor.train.remote(job)

    def wait(self, seconds: float) -> list[Finished]:
        by_answer = {worker.pending: worker for worker in self._workers if worker.pending is not None}
        if not by_answer:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait(list(by_answer), num_returns=1, timeout=seconds)
        workers = [by_answer[answer] for answer in ready]
        for worker in [each for each in workers if each.job is None]:
            self._looked(worker)
        self._say_waiting()
        return [self._finished(worker) for worker in workers if worker.job is not None]

    def stop(self) -> list[Finished]:
        with_job = [worker for worker in self._workers if worker.job is not None]
        done = {worker.pending for worker in with_job}
        if done:
            done = set(ray.wait(list(done), num_returns=len(done), timeout=0)[0])
        finished = [self._received(worker) if worker.pending in done else _lost(worker) for worker in with_job]
        for worker in self._workers:
            _kill(worker)
        return finished

    def _start(self) -> _Worker:
        now = time.monotonic()
        self._refused = {node: until for node, until in self._refused.items() if until > now}
        kind = self._kind
        if self._refused:
            kind = kind.options(label_selector={NODE: f"!in({','.join(self._refused)})"})
        actor = kind.remote(self._errand)
        return _Worker(actor, actor.look.remote())

    def _replace(self, worker: _Worker) -> None:
        # One that cannot be reached may live, and go on with its work.
        _kill(worker)
        self._workers[self._workers.index(worker)] = self._start()

    def _looked(self, worker: _Worker) -> None:
        """A worker has looked at its node, or died over it."""
        try:
            look: Look = ray.get(worker.pending)
        except RayError as error:
            self._failed_start(error)
            self._replace(worker)
            return
        if look.refusal:
            self._refuse(look)
            self._replace(worker)
        elif look.needs_data:
            worker.pending = worker.actor.receive.remote(self._sent_data())
        else:
            worker.pending, worker.is_ready, self._failed_starts = None, True, 0

    def _failed_start(self, error: RayError) -> None:
        self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            raise UserError(f"{MOST_FAILED_STARTS} workers of the Ray cluster died at their start: {first_line(error)}")

    def _refuse(self, look: Look) -> None:
        """Have no worker on a node for a while. Raises UserError if that leaves none, and nobody works."""
        said = f"no worker on {look.host}: {look.refusal}"
        if said not in self._said:
            self._said.add(said)
            print(said, flush=True)
        self._refused[look.node] = time.monotonic() + REFUSED_SECONDS
        nodes = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        if nodes <= self._refused.keys() and not any(worker.is_ready for worker in self._workers):
            raise UserError(f"no node of the Ray cluster can train trials: {said}")

    def _sent_data(self) -> list[parcels.File]:
        if self._data is None:
            data = self._errand.place.data
            self._data = parcels.send(self._errand.workdir / "prepared" / data.digest)
        return self._data

    def _finished(self, worker: _Worker) -> Finished:
        done = self._received(worker)
        if done.outcome is None:
            self._replace(worker)
        else:
            worker.job = worker.pending = None
        return done

    def _received(self, worker: _Worker) -> Finished:
        """What a worker has answered about its job, or that it died over it."""
        assert worker.job is not None
        try:
            answer: Answer = ray.get(worker.pending)
        except RayError as error:
            print(f"trial {worker.job.number}: {shown(' '.join(redacted(str(error)).split()))}", flush=True)
            return _lost(worker)
        if answer.undelivered and answer.outcome.run_id:
            unpack(answer.undelivered, self._errand.workdir, answer.outcome.run_id)
        return Finished(worker.job, answer.outcome)

    def _say_waiting(self) -> None:
        waiting = sum(not worker.is_ready for worker in self._workers)
        if not waiting or "waiting" in self._said or time.monotonic() < self._started + WAITING_SECONDS:
            return
        self._said.add("waiting")
        has = Counter(ray.cluster_resources())
        print(
            f"{waiting} of {len(self._workers)} workers wait for room: each takes {self._room}, and the cluster has "
            f"{has['CPU']:g} CPUs and {has['GPU']:g} GPUs in all; a node that joins is used at once",
            flush=True,
        )


def _kill(worker: _Worker) -> None:
    with contextlib.suppress(RayError):
        ray.kill(worker.actor)


def _lost(worker: _Worker) -> Finished:
    assert worker.job is not None
    return Finished(worker.job, None)
