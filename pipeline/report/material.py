"""The runs that a page is about, and what they logged."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from pipeline import tracking
from pipeline.config import TrainConfig, fields_of
from pipeline.errors import UserError
from pipeline.tracking import RunFiles, StoredRun
from pipeline.tracking.tables import read_csv

REPORT = "report"
# Trainings, by the stage of their run: those of a search and of an ablation are shown apart.
TRAIN, TRIAL, RUNG = "train", "trial", "rung"
TRAINING_STAGES = (TRAIN, TRIAL, RUNG)
FINISHED = "FINISHED"
SCORE = "best_val_accuracy"
PARENT, NOTE, COMMIT = "mlflow.parentRunId", tracking.DESCRIPTION, "mlflow.source.git.commit"


@dataclass(frozen=True)
class Material:
    """title: what the runs are called together. runs: those that the page is about, the oldest first.

    others: all runs of the same experiments, in which what belongs to the data is looked for. chosen: the ids that a
    person named; none if the page is about an experiment.
    """

    title: str
    runs: list[StoredRun]
    others: list[StoredRun]
    chosen: frozenset[str] = frozenset()
    files: RunFiles = field(default_factory=RunFiles)

    def of_stage(self, *stages: str) -> list[StoredRun]:
        """The runs of these stages, the oldest first."""
        return [run for run in self.runs if run.tags.get("stage") in stages]

    def children(self, run: StoredRun, *stages: str) -> list[StoredRun]:
        """The runs of these stages that are nested in a run, the oldest first."""
        return [each for each in self.of_stage(*stages) if each.tags.get(PARENT) == run.id]

    @functools.cached_property
    def trainings(self) -> list[StoredRun]:
        """The trainings that were asked for one by one; if there are none, those of searches and ablations."""
        named = [run for run in self.of_stage(*TRAINING_STAGES) if run.id in self.chosen]
        single = [run for run in self.of_stage(TRAIN) if run.id not in self.chosen]
        return sorted([*named, *single], key=lambda run: run.started) or self.of_stage(*TRAINING_STAGES)

    @functools.cached_property
    def ranked(self) -> list[StoredRun]:
        """The finished trainings on the data of the newest one, the best on the validation images first."""
        scored = [run for run in self.trainings if run.status == FINISHED and SCORE in run.metrics]
        same = [run for run in scored if question(run) == question(scored[-1])]
        return sorted(same, key=lambda run: -run.metrics[SCORE])

    @property
    def best(self) -> StoredRun | None:
        """The finished training with the highest validation accuracy; None if no training is finished."""
        return self.ranked[0] if self.ranked else None

    def evaluation(self, run: StoredRun, split: str) -> StoredRun | None:
        """The newest finished evaluation of a training on a split of its own data, with its own probabilities."""
        found = [
            each
            for each in self.children(run, "evaluate")
            if each.status == FINISHED
            and each.params.get("split") == split
            and each.tags.get("same_data_as_trained_on") == "True"
            and each.params.get("calibrate", "no") == "no"
        ]
        return found[-1] if found else None

    def preparation(self, digest: str) -> StoredRun | None:
        """The newest finished run that prepared the data with this digest."""
        found = [
            run
            for run in self.others
            if run.tags.get("stage") == "preprocess"
            and run.tags.get("data_digest") == digest
            and run.status == FINISHED
        ]
        return found[-1] if found else None

    def table(self, run: StoredRun, name: str) -> pd.DataFrame | None:
        """A table that a run logged, of texts; None if it logged none of this name."""
        contents = self.files.read(run.id, f"tables/{name}.csv")
        return read_csv(contents) if contents else None

    def figures(self, run: StoredRun) -> list[str]:
        """The names of the figures that a run logged."""
        paths = self.files.names(run.id, "figures")
        return sorted(path.removeprefix("figures/").removesuffix(".png") for path in paths if path.endswith(".png"))

    def figure(self, run: StoredRun, name: str) -> bytes | None:
        """A figure that a run logged, as PNG; None if it logged none of this name."""
        return self.files.read(run.id, f"figures/{name}.png")


def question(run: StoredRun) -> dict[str, str | None]:
    """What a run was asked: the options that say which images are in which split."""
    names = [each.name for each in fields_of(TrainConfig) if each.metadata["group"] == "data"]
    return {name: run.params.get(name) for name in names}


def collect(named: Iterable[str] = ()) -> Material:
    """The runs named and all that is nested in them; without names, those of the current experiment.

    Raises UserError if a run is not there, or if there is none at all.
    """
    chosen = frozenset(named)
    experiments = tracking.experiments_of(chosen) if chosen else {tracking.current_experiment()}
    stored = [run for run in tracking.runs_of(experiments) if run.tags.get("stage") not in {REPORT, None}]
    names = [tracking.experiment_name(each) for each in sorted(experiments)]
    shown = _with_nested(stored, chosen) if chosen else stored
    if not shown:
        where = f"experiment {names[0]} holds no run of this project"
        raise UserError(f"{where}, or none of those named is one; train one first" if chosen else f"{where}; train one")
    title = f"{len(chosen)} runs of {', '.join(names)}" if chosen else f"Experiment {names[0]}"
    return Material(title, shown, stored, chosen)


def _with_nested(runs: list[StoredRun], chosen: frozenset[str]) -> list[StoredRun]:
    """The chosen runs, those nested in them, and so on."""
    taken = set(chosen)
    while nested := {run.id for run in runs if run.tags.get(PARENT) in taken} - taken:
        taken |= nested
    return [run for run in runs if run.id in taken]
