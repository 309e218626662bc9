"""From a source of images to a prepared data set."""

from pipeline.cluster.decoding import fill_all
from pipeline.config import PrepareConfig
from pipeline.tracked.data import prepare


def preprocess(config: PrepareConfig) -> str:
    """Prepare the data set that `config` describes, and log what it holds.

    Returns the id of the run. Raises UserError if the source is not what it should be.
    """
    _, run_id = prepare(config, fill_all=fill_all(config))
    return run_id
