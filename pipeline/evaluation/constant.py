"""Whether a score is more than always naming the most frequent class would come to."""

import numpy as np

from pipeline.errors import shown
from pipeline.evaluation.intervals import wilson

SMALL_CLASSES_NAMED = 5
# A class with fewer than this part of the largest one's training images is worth more images.
SMALL = 0.5


def no_better_than_constant(
    split: str, accuracy: float, of_split: list[int], of_train: list[int], class_names: list[str]
) -> str | None:
    """What to say where the 95 % interval of an accuracy reaches the share of the largest class, else None.

    of_split, of_train: images of each class in the split that was scored, and in the training split.
    """
    images = sum(of_split)
    largest = int(np.argmax(of_split))
    low, high = wilson(np.array(accuracy * images), np.array(images))
    if low > of_split[largest] / images:
        return None
    return (
        f"{split}_accuracy {accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}) is not shown to be better than "
        f"always naming {shown(class_names[largest])}, which {of_split[largest] / images:.1%} of the images are"
        f"{_remedy(of_train, class_names)}"
    )


def _remedy(of_train: list[int], class_names: list[str]) -> str:
    small = [label for label in np.argsort(of_train, kind="stable") if of_train[label] < SMALL * max(of_train)]
    if not small:
        return ""
    named = ", ".join(f"{shown(class_names[label])} ({of_train[label]})" for label in small[:SMALL_CLASSES_NAMED])
    more = f" and {len(small) - SMALL_CLASSES_NAMED} other classes" if len(small) > SMALL_CLASSES_NAMED else ""
    return f". The classes are uneven: --class_weight balanced may help, and more images of {named}{more}"
