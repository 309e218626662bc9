"""How well each class is recognised."""

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.measures.confusion import confusion
from pipeline.metrics import accuracy


def measure(answers: Answers) -> Findings:
    """Precision, recall and F1 of each class, as a table and as a figure."""
    table = per_class(answers.labels, answers.probabilities, answers.class_names)
    scored = accuracy(answers.labels, answers.probabilities)
    title = f"{answers.split}: accuracy {scored:.1%} of {len(answers.labels):,} images"
    return Findings(tables={"per_class": table}, figures={"per_class": figures.per_class(table, title)})


def per_class(labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """One row per class: class, images, precision, recall, f1, and the class it is most often taken for.

    recall_low, recall_high: the 95 % interval of the recall.
    """
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, images = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    counts = confusion(labels, probabilities)
    low, high = wilson(counts.diagonal(), images)
    wrong = counts * (1 - np.eye(len(class_names), dtype=int))
    return pd.DataFrame(
        {
            "class": class_names,
            "images": images,
            "precision": precision,
            "recall": recall,
            "recall_low": low,
            "recall_high": high,
            "f1": f1,
            "most_often_taken_for": [class_names[row.argmax()] if row.any() else "" for row in wrong],
        }
    )
