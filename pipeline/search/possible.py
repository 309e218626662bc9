"""Whether there is a trial that can be trained."""

from collections.abc import Iterable

from pipeline import config as options
from pipeline import models
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.planning import plan
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError, first_line
from pipeline.training.network_spec import network_spec


def check_possible(configurations: Iterable[TrainConfig]) -> None:
    """Build the networks of some configurations, as a trial does first.

    Raises UserError, with the reason of the first, if none of them can be built.
    """
    refused = []
    for config in configurations:
        try:
            data = open_or_write(plan(options.part(config, PreprocessConfig)))
            models.build(config.model, network_spec(config, data))
        except UserError as error:
            refused.append(error)
        else:
            return
    raise UserError(f"no trial of this search can be trained: {first_line(refused[0])}") from refused[0]
