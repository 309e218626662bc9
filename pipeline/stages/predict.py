"""Answers for images that need no labels."""

from pipeline.config import PredictConfig
from pipeline.tracked.prediction import predict_tracked


def predict(config: PredictConfig) -> str:
    """Answer for images, and write a table with a row for each.

    Returns the id of the run, a child of the model's. Raises UserError if there is no such model, or no image.
    """
    return predict_tracked(config)
