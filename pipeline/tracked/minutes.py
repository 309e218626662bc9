"""How many epochs a training has that is given minutes."""

import math
import time

from pipeline import process, tracking
from pipeline.config import TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.models.networks.contract import Network
from pipeline.training.pace import epochs_within, measure, training_seconds

# What follows the last epoch: figures, the model, their way to MLflow, the end of the process. It was 2.6 and 3.2
# seconds to the end of the run in two trainings on one core.
END_SECONDS = 4.0


def epochs_for(minutes: float, run: tracking.Run, network: Network, data: Prepared, config: TrainConfig) -> int:
    """The most epochs with which the command is done in time, by a pace that is measured now.

    network: as it is before the training; it is left so. Raises UserError if not even one epoch fits.
    """
    pace = measure(network, data, config)
    gone = _seconds_gone(run)
    # A fold trains on all images but its own part, builds its own graphs and has an end of its own.
    train, val = (sum(data.facts.counts[split]) for split in ("train", "val"))
    trainings = 1 + max(config.folds - 1, 0) * (train + val) / train
    ends = END_SECONDS + config.folds * (END_SECONDS + pace.compiling)
    epochs = epochs_within((60 * minutes - gone - ends) / trainings, pace, data, config)
    if not epochs:
        needed = (gone + ends + trainings * training_seconds(1, pace, data, config)) / 60
        raise UserError(
            f"--minutes {minutes:g}: one epoch does not fit into it; here that takes {math.ceil(10 * needed) / 10:g} "
            f"minutes, {gone:.0f} seconds of start-up among them"
        )
    print(f"{epochs} epochs fit into {minutes:g} minutes, after {gone:.0f} seconds of start-up")
    return epochs


def _seconds_gone(run: tracking.Run) -> float:
    """How long ago the command began: its process, or the run, if `mlflow run` made that before.

    Without what preparing the data took, which is done once: the same command again is to have as many epochs.
    """
    now = time.time()
    began, _ = tracking.times_of(run.id)
    prepared = [
        tracking.times_of(child.id) for child in tracking.children(run.id) if child.tags["stage"] == "preprocess"
    ]
    preparing = sum((ended or now) - started for started, ended in prepared)
    return now - min(began, process.command_began() or began) - preparing
