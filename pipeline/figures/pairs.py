"""Pairs of classes that are confused."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.names import label
from pipeline.figures.style import DPI, NAME_SIZE

# The side of an image, and the height of the text over a row of them, in inches.
IMAGE_INCHES, TEXT_INCHES = 0.95, 0.5


def confused_pairs(pairs: Sequence[tuple[str, str, str, np.ndarray, np.ndarray]], title: str) -> Figure:
    """A row a pair: images of the true class that were taken for another one on the left, images of that on the right.

    pairs: the true class, the predicted one, how often (as text), and the images of both sides, (n, size, size, 3).
    """
    columns = max(max(len(taken), len(other)) for *_, taken, other in pairs)
    side = columns * IMAGE_INCHES + 0.3
    size = (2 * max(side, 3.0), 0.6 + len(pairs) * (IMAGE_INCHES + TEXT_INCHES))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    ems = (size[0] / 2 - 0.2) * 72 / NAME_SIZE
    for (left, right), (true, predicted, often, taken, other) in zip(
        figure.subplots(len(pairs), 2, squeeze=False), pairs, strict=True
    ):
        _draw(left, taken, columns, f"{label(f'true {true}', ems)}\npredicted as on the right: {often} images")
        _draw(right, other, columns, f"{label(predicted, ems)}\n")
    figure.suptitle(title, fontsize=11)
    return figure


def _draw(axes: Axes, images: np.ndarray, columns: int, text: str) -> None:
    """Some images beside each other, from the left, with a text over them."""
    size = images.shape[1]
    gap = max(1, size // 16)
    strip = np.full((size, columns * (size + gap), 3), 255, np.uint8)
    for column, image in enumerate(images):
        strip[:, column * (size + gap) : column * (size + gap) + size] = image
    axes.imshow(strip, interpolation="nearest")
    axes.axis("off")
    axes.set_title(text, fontsize=NAME_SIZE, loc="left")
