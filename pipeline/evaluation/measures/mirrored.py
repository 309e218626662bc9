"""Whether a model answers to mirrored images as well, and what the mean of both answers brings."""

import numpy as np
import pandas as pd

from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson

COSTLY = True


def measure(answers: Answers) -> Findings | None:
    """The accuracy on mirrored images, and of the mean of both answers; nothing where mirrored images may not be."""
    if not answers.mirrorable:
        return None
    mirrored = answers.predict(np.ascontiguousarray(answers.images[:, :, ::-1]))
    versions = {
        "as they are": answers.probabilities,
        "mirrored": mirrored,
        "mean of both": (answers.probabilities + mirrored) / 2,
    }
    table = pd.DataFrame([_row(name, answers.labels, each) for name, each in versions.items()])
    accuracies = dict(zip(versions, table["accuracy"], strict=True))
    return Findings(
        metrics={
            "mirrored_accuracy": accuracies["mirrored"],
            "mean_with_mirrored_accuracy": accuracies["mean of both"],
        },
        tables={"mirrored": table},
    )


def _row(name: str, labels: np.ndarray, probabilities: np.ndarray) -> dict:
    correct = probabilities.argmax(axis=1) == labels
    low, high = wilson(correct.sum(), np.array(len(labels)))
    accuracy = float(correct.mean())
    return {"images": name, "accuracy": accuracy, "accuracy_low": float(low), "accuracy_high": float(high)}
