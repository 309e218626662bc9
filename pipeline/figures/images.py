"""Sheets of images."""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.names import inches, label, labels
from pipeline.figures.style import DPI, NAME_SIZE

MOST_SAMPLED = 100
MOST_MISTAKES = 24
IMAGE_INCHES = 0.5
MISTAKES_A_ROW = 6
# Of one mistake: its width in inches, and the size of its text in points.
MISTAKE_INCHES, MISTAKE_SIZE = 2.1, 7


def sample_sheet(images: np.ndarray, labels_of_images: np.ndarray, class_names: list[str], samples: int = 6) -> Figure:
    """The first `samples` images of every class and its number of images, in as many columns of classes as look well.

    images: (n, size, size, 3) uint8. labels_of_images: (n,).
    """
    counts = np.bincount(labels_of_images, minlength=len(class_names))
    shown = [f"{name} (n={count:,})" for name, count in zip(labels(class_names), counts, strict=True)][:MOST_SAMPLED]
    blocks = 1 if len(shown) <= 12 else 3 if len(shown) <= 60 else 5
    rows = -(-len(shown) // blocks)
    strips = _strips(images, labels_of_images, len(shown), (blocks, rows, samples))
    width = blocks * (inches(shown) + 0.2 + samples * IMAGE_INCHES)
    figure = Figure(figsize=(width, 0.6 + rows * (IMAGE_INCHES + 0.03)), dpi=DPI, layout="compressed")
    row_height = strips.shape[1] / rows
    for block, axes in enumerate(np.atleast_1d(figure.subplots(1, blocks))):
        names = shown[block * rows : (block + 1) * rows]
        axes.imshow(strips[block], interpolation="nearest")
        axes.set_yticks((np.arange(len(names)) + 0.47) * row_height, names, fontsize=NAME_SIZE)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    more = f" (the first {len(shown)} of {len(class_names)} classes)" if len(shown) < len(class_names) else ""
    figure.suptitle(f"Training images, {samples} a class{more}", fontsize=10)
    return figure


def _strips(images: np.ndarray, labels_of_images: np.ndarray, classes: int, grid: tuple[int, int, int]) -> np.ndarray:
    """The images of some classes, with gaps: (blocks, height, width, 3). grid: blocks, rows and columns in each."""
    blocks, rows, columns = grid
    size = images.shape[1]
    pitch = size + max(2, size // 16)
    strips = np.full((blocks, rows, pitch, columns, pitch, 3), 255, np.uint8)
    for number in range(classes):
        block, row = divmod(number, rows)
        for column, index in enumerate(np.flatnonzero(labels_of_images == number)[:columns]):
            strips[block, row, :size, column, :size] = images[index]
    return strips.reshape(blocks, rows * pitch, columns * pitch, 3)


def mistakes(
    images: np.ndarray,
    labels_of_images: np.ndarray,
    probabilities: np.ndarray,
    class_names: list[str],
    title: str,
    paths: Sequence[str] = (),
) -> Figure:
    """The images that were taken for a wrong class with the highest probability.

    images: (n, size, size, 3) uint8. labels_of_images: (n,). probabilities: (n, classes). paths: (n,) or none.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels_of_images)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISTAKES]
    if not len(wrong):
        return _one_line(f"{title}: no mistakes")
    width = MISTAKE_INCHES * 72 / MISTAKE_SIZE
    names = labels(class_names, width - 9)
    columns, rows = min(MISTAKES_A_ROW, max(len(wrong), 3)), -(-len(wrong) // MISTAKES_A_ROW)
    figure = Figure(figsize=(columns * MISTAKE_INCHES, 0.6 + rows * 2.4), dpi=DPI, layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, index in zip(figure.axes, wrong.tolist(), strict=False):
        axes.imshow(images[index])
        lines = [
            f"predicted {names[predicted[index]]} {confidence[index]:.0%}",
            f"true {names[labels_of_images[index]]}",
            *(label(PurePath(path).name, width - 1) for path in paths[index : index + 1]),
        ]
        axes.set_title("\n".join(lines), fontsize=MISTAKE_SIZE)
    figure.suptitle(title, fontsize=11)
    return figure


def _one_line(text: str) -> Figure:
    figure = Figure(figsize=(6, 1), dpi=DPI)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=11)
    return figure
