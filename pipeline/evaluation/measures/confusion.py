"""Which classes are taken for which: the confusion matrix."""

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings
from pipeline.metrics import accuracy


def measure(answers: Answers) -> Findings:
    """The confusion matrix, as a table and as a figure."""
    counts = confusion(answers.labels, answers.probabilities)
    scored = accuracy(answers.labels, answers.probabilities)
    title = f"{answers.split}: accuracy {scored:.1%} of {len(answers.labels):,} images"
    return Findings(
        tables={"confusion_matrix": confusion_table(counts, answers.class_names)},
        figures={"confusion_matrix": figures.confusion_matrix(counts, answers.class_names, title)},
    )


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How often each class (row) was taken for each (column). (classes, classes) of int."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, probabilities.argmax(axis=1), labels=np.arange(probabilities.shape[1]))


def confusion_table(counts: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """The confusion matrix as a table: a row a true class, a column a predicted one.

    The first column, true_class, holds the names of the rows; it gets underscores until no class is called so.
    """
    first = "true_class"
    while first in class_names:
        first += "_"
    table = pd.DataFrame(counts, columns=class_names)
    table.insert(0, first, class_names)
    return table
