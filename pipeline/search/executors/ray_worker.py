"""What an actor of a Ray cluster does: it looks whether its node can train trials, then trains one after the other."""

import contextlib
import dataclasses
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline import locks
from pipeline.cluster.code import Code, code
from pipeline.cluster.cores import keep_to_cores
from pipeline.cluster.parcels import File, receive
from pipeline.config import USER_WORKDIR
from pipeline.errors import first_line, hide_passwords, shown
from pipeline.paths import path_of
from pipeline.search.outcomes import TrialOutcome
from pipeline.search.trial import StudyPlace, TrialJob, train_trial

# Below this a node has no room for another process of TensorFlow's, and Ray would kill what runs there.
LEAST_MEMORY_MIB = 500


@dataclass(frozen=True)
class Errand:
    """What a worker needs to know before its first trial.

    code: of the process that owns the study. environment: where that tracks and with which login; secrets are among it,
    so that it is no part of Ray's runtime environment, which Ray shows. folder: its current folder, workdir: its work
    folder, in which the file `mark` lies. cpus: those of a trial. weights: what a training begins with. only_node: the
    one node that can write to the stores, if they are files.
    """

    place: StudyPlace
    code: Code
    environment: dict[str, str]
    folder: Path
    workdir: Path
    mark: Path
    cpus: float
    weights: str
    only_node: str | None = None


@dataclass(frozen=True)
class Look:
    """What a worker found. node: the id of its node, host: its name. refusal: why it cannot train trials there, None if
    it can. needs_data: whether the prepared data have to be sent first.
    """

    node: str
    host: str
    refusal: str | None = None
    needs_data: bool = False


@dataclass(frozen=True)
class Answer:
    """How a trial went. undelivered: what MLflow has not got of it, file by file, from a work folder of the node."""

    outcome: TrialOutcome
    undelivered: dict[str, bytes] | None = None


class Worker:
    """Trains one trial at a time. Each method returns what went wrong; what it raises is a fault."""

    def __init__(self, errand: Errand):
        hide_passwords()
        self._errand = errand
        os.environ.update(errand.environment)
        # Relative addresses mean what they mean to the owner, where the same folder is here.
        with contextlib.suppress(OSError):
            os.chdir(errand.folder)
        keep_to_cores(errand.cpus)
        self._workdir = _workdir(errand)
        # Nobody cleans the data away under it.
        self._held = contextlib.ExitStack()
        self._held.enter_context(locks.at_work(self._workdir))

    def look(self) -> Look:
        """Whether trials can be trained here."""
        return self._looked(lambda node: refusal(self._errand, node))

    def receive(self, files: list[File]) -> Look:
        """Take in the prepared data, then look again."""

        def take_in(node: str) -> None:
            receive(files, self._data())

        return self._looked(take_in)

    def train(self, job: TrialJob) -> Answer:
        """Train a trial."""
        from pipeline.tracked.delivery import pack

        here = dataclasses.replace(job, config=dataclasses.replace(job.config, workdir=self._workdir))
        outcome = train_trial(self._errand.place, here)
        is_elsewhere = not self._errand.mark.is_file() or self._workdir != self._errand.workdir
        return Answer(outcome, pack(self._workdir, outcome.run_id) if is_elsewhere and outcome.run_id else None)

    def _looked(self, check: Callable[[str], str | None]) -> Look:
        import ray

        node = ray.get_runtime_context().get_node_id()
        try:
            refused = check(node)
        except Exception as error:  # said where the search runs, without a password
            refused = first_line(error)
        return Look(node, socket.gethostname(), refused, not refused and not self._data().is_dir())

    def _data(self) -> Path:
        return self._workdir / "prepared" / self._errand.place.data.digest


def refusal(errand: Errand, node: str) -> str | None:
    """Why this process, on the node of this id, cannot train trials; None if it can.

    Raises UserError if it cannot reach the runs or the study.
    """
    from pipeline import tracking
    from pipeline.search.storage import open_storage

    if difference := errand.code.difference(code()):
        return difference
    if errand.only_node not in (None, node):
        return "the study or the runs lie in an SQLite file, which other machines cannot write to"
    free = psutil.virtual_memory().available // 2**20
    if free < LEAST_MEMORY_MIB:
        return f"it has {free} MiB of memory left, and a worker needs {LEAST_MEMORY_MIB} at the least"
    if errand.weights not in ("none", "imagenet") and not path_of(errand.weights).is_file():
        return f"it has no file {shown(errand.weights)}, which --weights names"
    tracking.check_store()
    open_storage(errand.place.storage)
    return None


def _workdir(errand: Errand) -> Path:
    """The work folder here: that of this node if it names one, else the owner's if this machine has the same, else one
    of the user's.
    """
    if given := os.environ.get("PIPELINE_WORKDIR"):
        return path_of(given)
    return errand.workdir if errand.mark.is_file() else USER_WORKDIR
