import numpy as np
from answers import LABELS, NAMES, PROBABILITIES

from pipeline.evaluation.measures.predictions import predictions
from pipeline.evaluation.measures.scores import scores


def test_predictions_are_enough_to_score_again():
    table = predictions(list("uvwxyz"), LABELS, PROBABILITIES, NAMES)
    assert table["path"].tolist() == list("uvwxyz")
    labels = np.array([NAMES.index(label) for label in table["label"]])
    assert scores(labels, np.stack(table["probabilities"])) == scores(LABELS, PROBABILITIES)
