"""What of an image spoke for an answer."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.names import label
from pipeline.figures.style import DPI

COLUMNS = 6
IMAGE_INCHES, TEXT_SIZE = 2.0, 7


def attention(
    images: np.ndarray, maps: np.ndarray, named: Sequence[tuple[str, str]], certainty: np.ndarray, title: str
) -> Figure:
    """Each image over the same with its heat map: yellow spoke for the answer, black did not.

    images: (n, size, size, 3) uint8. maps: (n, height, width), 0 to 1. named: the predicted and the true class of each.
    certainty: (n,), the probability of the predicted class.
    """
    blocks = -(-len(images) // COLUMNS)
    columns = min(COLUMNS, len(images))
    size = (max(columns * IMAGE_INCHES, 4.5), 0.5 + blocks * (2 * IMAGE_INCHES + 0.4))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(2 * blocks, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    ems = IMAGE_INCHES * 72 / TEXT_SIZE - 9
    side = images.shape[1]
    for index, image in enumerate(images):
        block, column = divmod(index, columns)
        above, below = grid[2 * block, column], grid[2 * block + 1, column]
        above.imshow(image)
        below.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255)
        place = (-0.5, side - 0.5, side - 0.5, -0.5)
        heat = below.imshow(maps[index], cmap="inferno", vmin=0, vmax=1, alpha=0.55, extent=place)
        heat.set_interpolation("bilinear")
        predicted, true = (label(name, ems) for name in named[index])
        mark = "" if predicted == true else "wrong, "
        above.set_title(f"predicted {predicted} {certainty[index]:.0%}\n{mark}true {true}", fontsize=TEXT_SIZE)
    figure.suptitle(title, fontsize=11)
    return figure
