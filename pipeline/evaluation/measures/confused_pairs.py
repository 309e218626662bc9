"""The classes that are taken for each other most, with images of both."""

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.measures.confusion import confusion

MOST_LISTED, MOST_DRAWN = 100, 8
# Images on each side of a pair.
SAMPLES = 4


def measure(answers: Answers) -> Findings | None:
    """The pairs as a table, and images of the first few; nothing where there is no mistake."""
    table = confused_pairs(confusion(answers.labels, answers.probabilities), answers.class_names)
    if table.empty:
        return None
    drawn = [
        (row["true"], row["predicted"], f"{row['images']} of {row['of']}", *_samples(answers, row))
        for row in table.head(MOST_DRAWN).to_dict("records")
    ]
    title = f"{answers.split}: the classes that are taken for another most often"
    return Findings(tables={"confused_pairs": table}, figures={"confused_pairs": figures.confused_pairs(drawn, title)})


def confused_pairs(counts: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """One row a pair, the most frequent first: true, predicted, images (taken so), of (images of the true class), part.

    reverse: how many images of the predicted class were taken for the true one. counts: (classes, classes).
    """
    wrong = counts * (1 - np.eye(len(counts), dtype=int))
    frequent = np.argsort(-wrong, axis=None, kind="stable")[:MOST_LISTED]
    true, predicted = np.unravel_index(frequent[wrong.ravel()[frequent] > 0], wrong.shape)
    images, of = wrong[true, predicted], counts.sum(axis=1)[true]
    return pd.DataFrame(
        {
            "true": [class_names[label] for label in true],
            "predicted": [class_names[label] for label in predicted],
            "images": images,
            "of": of,
            "part": images / of,
            "reverse": wrong[predicted, true],
        }
    )


def _samples(answers: Answers, row: dict) -> tuple[np.ndarray, np.ndarray]:
    """Images of the true class that were taken for the other, and of the other, the most certain first."""
    true, other = answers.class_names.index(row["true"]), answers.class_names.index(row["predicted"])
    predicted = answers.probabilities.argmax(axis=1)
    taken = (answers.labels == true) & (predicted == other)
    return tuple(
        answers.images[_most_certain(answers.probabilities[:, other], chosen)]
        for chosen in (taken, answers.labels == other)
    )


def _most_certain(certainty: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(chosen)
    return places[np.argsort(-certainty[places], kind="stable")][:SAMPLES]
