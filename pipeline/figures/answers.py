"""A sheet of images with what a model answers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.names import label
from pipeline.figures.style import DPI

MOST_ANSWERS = 24
A_ROW = 6
# Of one image: its width in inches, and the size of its text in points.
WIDTH, SIZE = 2.1, 7


def answer_sheet(images: np.ndarray, answers: Sequence[tuple[str, float, str | None, str]], title: str) -> Figure:
    """Images with the class and its probability, the true class where it is known, and the name of the file.

    images: (n, size, size, 3) uint8. answers: (n,) label, probability, true label or None, name.
    """
    ems = WIDTH * 72 / SIZE
    columns, rows = min(A_ROW, max(len(images), 3)), max(1, -(-len(images) // A_ROW))
    figure = Figure(figsize=(columns * WIDTH, 0.6 + rows * 2.4), dpi=DPI, layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, (predicted, probability, true, name) in zip(figure.axes, images, answers, strict=False):
        axes.imshow(image)
        lines = [f"{label(predicted, ems - 5)} {probability:.0%}", label(name.rpartition("/")[2], ems - 1)]
        if true is not None:
            lines.insert(1, f"{'is' if true == predicted else 'but is'} {label(true, ems - 5)}")
        axes.set_title("\n".join(lines), fontsize=SIZE)
    figure.suptitle(title, fontsize=11)
    return figure
