"""One training run."""

from pipeline import config as options
from pipeline.config import TrainConfig, TrainWithinConfig
from pipeline.tracked.training import train_tracked


def train(config: TrainWithinConfig) -> str:
    """Train a model and log it: the run holds its options, its curves, and the model of its best epoch.

    Returns the id of the run. Raises UserError if the data cannot be read or the model cannot be built as asked for.
    """
    return train_tracked(options.part(config, TrainConfig), minutes=config.minutes)
