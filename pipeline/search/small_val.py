"""What a small validation split means for a search."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.evaluation.intervals import wilson

# With so many the 95 % interval of an accuracy is at most 4.4 points wide to each side.
ENOUGH = 500
SUGGESTED = 5


def of_small_val(counts: Mapping[str, Sequence[int]]) -> str | None:
    """What to say where val has too few images to tell trials apart; None where it has enough.

    counts: split -> images of each class.
    """
    train, val = sum(counts["train"]), sum(counts["val"])
    if val >= ENOUGH:
        return None
    low, high = wilson(np.array(val / 2), np.array(val))
    # Each fold trains on all images but its own part.
    cost = (SUGGESTED - 1) * (train + val) / train
    return (
        f"val has {val:,} images, so the 95 % interval of a val_accuracy of 50 % reaches from {low:.0%} to {high:.0%}, "
        f"and a trial that seems some points better may be so by chance; --folds {SUGGESTED} scores each trial on "
        f"{train + val:,} images, and a trial then takes about {cost:.1f} times as long"
    )
