"""Whether an export answers as the network does."""

from dataclasses import dataclass

import numpy as np

from pipeline.errors import RefusedError
from pipeline.export.formats import Answer

# The largest difference between two probabilities of the same network in float32, computed by two programs.
TOLERANCE = 1e-4
# The share of the validation images that a quantised network may get wrong which the network in float32 gets right,
# those taken off that it alone gets right. One image may always be.
SHARE_LOST = 0.05
ASKED_AT_ONCE = 100


@dataclass(frozen=True)
class Agreement:
    """How far two sets of answers to the same images are apart.

    largest: the largest difference between two probabilities. differing: how many images get another class.
    """

    images: int
    largest: float
    differing: int

    def __str__(self) -> str:
        return (
            f"the largest difference is {self.largest:.1e}, and {self.differing:,} of {self.images:,} answers "
            f"{'is' if self.differing == 1 else 'are'} another class"
        )


def agreement(expected: np.ndarray, found: np.ndarray) -> Agreement:
    """How far two sets of probabilities, (n, classes) each, are apart."""
    differing = int((expected.argmax(axis=1) != found.argmax(axis=1)).sum())
    return Agreement(len(expected), float(np.abs(expected - found).max()), differing)


def answers_of(answer: Answer, images: np.ndarray) -> np.ndarray:
    """What an export answers to all of some images, a few at a time."""
    starts = range(0, len(images), ASKED_AT_ONCE)
    return np.concatenate([answer(images[start : start + ASKED_AT_ONCE]) for start in starts])


def refuse_unless_equal(found: Agreement) -> None:
    """Raise RefusedError if a float32 export does not answer as the network does."""
    # A difference that is no number is no agreement either.
    if not found.largest <= TOLERANCE:
        raise RefusedError(
            f"the export does not answer as the network does, so it is not kept: on the validation images {found}; "
            f"a difference of {TOLERANCE:g} at most is allowed"
        )


def refuse_if_far_worse(found: Agreement, accuracy: float, expected_accuracy: float) -> None:
    """Raise RefusedError if a quantised export gets far fewer images right than the network in float32.

    accuracy, expected_accuracy: of the export and of the network, 0 to 1.
    """
    lost = (expected_accuracy - accuracy) * found.images
    if round(lost) > max(1, SHARE_LOST * found.images):
        raise RefusedError(
            f"the quantised export is too much worse than the network, so it is not kept: it gets {accuracy:.1%} of "
            f"the {found.images:,} validation images right, the network in float32 {expected_accuracy:.1%}; {found}; "
            f"{100 * SHARE_LOST:g} points at most may be lost"
        )
