"""The answer to every image."""

import numpy as np
import pandas as pd

from pipeline.evaluation.contract import Answers, Findings


def measure(answers: Answers) -> Findings:
    """The table that every later figure and comparison can be made from."""
    table = predictions(answers.paths, answers.labels, answers.probabilities, answers.class_names)
    if answers.contents is not None:
        table = table.assign(content=answers.contents)
    return Findings(parquet={"predictions": table})


def predictions(
    paths: list[str], labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]
) -> pd.DataFrame:
    """One row per image: path, label, predicted, probability (of the predicted class) and all probabilities."""
    predicted = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "path": paths,
            "label": [class_names[label] for label in labels],
            "predicted": [class_names[label] for label in predicted],
            "correct": predicted == labels,
            "probability": probabilities.max(axis=1),
            "probabilities": list(probabilities.astype(np.float32)),
        }
    )
