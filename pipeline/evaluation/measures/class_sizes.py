"""Whether classes with more training images are recognised better."""

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson


def measure(answers: Answers) -> Findings | None:
    """The accuracy of each class against its number of training images; nothing where all have as many."""
    sizes = answers.training_images
    if sizes is None or sizes.min() == sizes.max():
        return None
    table = class_sizes(answers.labels, answers.probabilities, answers.class_names, sizes)
    title = f"{answers.split}: accuracy of each class by its number of training images"
    return Findings(tables={"class_sizes": table}, figures={"class_sizes": figures.class_sizes(table, title)})


def class_sizes(
    labels: np.ndarray, probabilities: np.ndarray, class_names: list[str], training_images: np.ndarray
) -> pd.DataFrame:
    """One row a class that has images: class, training_images, images, accuracy with its 95 % interval.

    training_images: (classes,). Ordered by it, the smallest class first.
    """
    images = np.bincount(labels, minlength=len(class_names))
    hits = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=len(class_names))
    low, high = wilson(hits, images)
    table = pd.DataFrame(
        {
            "class": class_names,
            "training_images": training_images,
            "images": images,
            "accuracy": hits / np.maximum(images, 1),
            "accuracy_low": low,
            "accuracy_high": high,
        }
    )
    return table[table["images"] > 0].sort_values("training_images", kind="stable", ignore_index=True)
