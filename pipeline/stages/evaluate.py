"""A logged model's scores on a split."""

from pipeline.config import EvaluateConfig
from pipeline.tracked.evaluation import evaluate_tracked


def evaluate(config: EvaluateConfig) -> str:
    """Score a logged model on one split of its data set.

    Returns the id of the run, a child of the evaluated one, that holds scores, tables and figures. Raises UserError if
    there is no such model, or if the data has other classes than the model.
    """
    return evaluate_tracked(config)
