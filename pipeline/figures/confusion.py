"""Which classes are taken for which."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from pipeline.figures.names import inches, labels
from pipeline.figures.style import DPI, NAME_SIZE, VAL_COLOUR, percentage

# Up to so many classes have their names beside the matrix, and their numbers in it.
MOST_NAMED = 100
MOST_NUMBERED = 20
# An overview of more has so many squares a side at most, and lists so many pairs.
OVERVIEW_SQUARES = 500
PAIRS = 25
OVERVIEW_INCHES, PAIR_INCHES = 7.0, 3.0
# The side of a class's square, with a number in it and without, in inches.
NUMBERED_SQUARE, SQUARE = 0.42, 0.2
SHADE_TICKS = [0, 0.01, 0.05, 0.2, 0.5, 1]
# The part of a row from which a square is so dark that its number is white.
DARK = 0.3


def confusion_matrix(counts: np.ndarray, class_names: list[str], title: str) -> Figure:
    """What each class was taken for, as parts of its images.

    With many classes, in which no name could be read, an overview that has beside each other what is confused, and a
    list of the pairs that are confused most. counts: (classes, classes), row the true class, column the predicted one.
    """
    draw = _named if len(class_names) <= MOST_NAMED else _overview
    figure = draw(counts, _parts(counts), class_names)
    figure.suptitle(title, fontsize=11)
    return figure


def _parts(counts: np.ndarray) -> np.ndarray:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _named(counts: np.ndarray, parts: np.ndarray, class_names: list[str]) -> Figure:
    classes = len(class_names)
    predicted = labels(class_names)
    true = [f"{name} (n={images:,})" for name, images in zip(predicted, counts.sum(axis=1), strict=True)]
    side = max(3.0, classes * (NUMBERED_SQUARE if classes <= MOST_NUMBERED else SQUARE))
    size = (side + inches(true) + 1.6, side + inches(predicted) + 0.9)
    figure = Figure(figsize=size, dpi=DPI, layout="compressed")
    axes = figure.subplots()
    _draw_parts(figure, axes, parts)
    axes.set_xticks(np.arange(classes), predicted, rotation=90, fontsize=NAME_SIZE)
    axes.set_yticks(np.arange(classes), true, fontsize=NAME_SIZE)
    axes.set(xlabel="predicted class", ylabel="true class")
    if classes <= MOST_NUMBERED:
        _write_counts(axes, counts, parts)
    return figure


def _draw_parts(figure: Figure, axes: Axes, parts: np.ndarray) -> None:
    # The square root shows the few mistakes of a good model.
    picture = axes.imshow(parts, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    bar = figure.colorbar(picture, ax=axes, shrink=0.6, label="part of the true class", ticks=SHADE_TICKS)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(percentage))
    bar.ax.minorticks_off()


def _write_counts(axes: Axes, counts: np.ndarray, parts: np.ndarray) -> None:
    digits = len(f"{counts.max():,}")
    fontsize = min(9.0, 100 * NUMBERED_SQUARE / digits)
    for row, column in np.argwhere(counts):
        colour = "white" if parts[row, column] > DARK else "black"
        text = f"{counts[row, column]:,}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=fontsize)


def _overview(counts: np.ndarray, parts: np.ndarray, class_names: list[str]) -> Figure:
    pairs = _most_confused(counts)
    names = labels(class_names)
    room = inches(names[each] for pair in pairs for each in pair)
    size = (OVERVIEW_INCHES + PAIR_INCHES + 2 * room + 2.2, OVERVIEW_INCHES + 1)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    matrix_axes, pair_axes = figure.subplots(1, 2, width_ratios=[OVERVIEW_INCHES, PAIR_INCHES])
    order = order_by_confusion(parts)
    _draw_parts(figure, matrix_axes, _shrunk(parts[np.ix_(order, order)]))
    matrix_axes.set_xticks([])
    matrix_axes.set_yticks([])
    matrix_axes.set(xlabel="predicted class", ylabel="true class")
    matrix_axes.set_title(f"{len(names):,} classes; those that are confused stand together", fontsize=10)
    _draw_pairs(pair_axes, counts, pairs, names)
    return figure


def order_by_confusion(parts: np.ndarray) -> np.ndarray:
    """The classes in the order of a tree that joins first what is taken for each other most.

    parts: (classes, classes), each row's sum 1 or 0. Returns (classes,), the number of each class.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = 1 - (parts + parts.T) / 2
    np.fill_diagonal(distances, 0)
    return leaves_list(linkage(squareform(distances, checks=False), "average"))


def _shrunk(parts: np.ndarray) -> np.ndarray:
    """The greatest value of each block of squares, so that a single mistake is seen however many classes there are."""
    block = -(-len(parts) // OVERVIEW_SQUARES)
    padded = np.pad(parts, (0, -len(parts) % block))
    blocks = len(padded) // block
    return padded.reshape(blocks, block, blocks, block).max(axis=(1, 3))


def _most_confused(counts: np.ndarray) -> list[tuple[int, int]]:
    """The pairs of a true class and another that it was taken for, the most frequent first."""
    wrong = counts * (1 - np.eye(len(counts), dtype=int))
    frequent = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = zip(*np.unravel_index(frequent, wrong.shape), strict=True)
    return [(int(true), int(predicted)) for true, predicted in pairs if wrong[true, predicted]]


def _draw_pairs(axes: Axes, counts: np.ndarray, pairs: list[tuple[int, int]], names: list[str]) -> None:
    """A bar a pair between the name of the true class, on the left, and of the one that it was taken for."""
    if not pairs:
        axes.axis("off")
        axes.text(0.5, 0.5, "no class was taken for another", ha="center", va="center")
        return
    images = counts.sum(axis=1)
    taken = [counts[pair] for pair in pairs]
    rows = np.arange(len(pairs))
    axes.barh(rows, taken, color=VAL_COLOUR, alpha=0.6, height=0.7)
    for row, (true, _) in enumerate(pairs):
        axes.text(0.03 * max(taken), row, f"{taken[row]:,} of {images[true]:,}", va="center", fontsize=NAME_SIZE)
    axes.set_yticks(rows, [names[true] for true, _ in pairs], fontsize=NAME_SIZE)
    other = axes.secondary_yaxis("right")
    other.set_yticks(rows, [names[predicted] for _, predicted in pairs], fontsize=NAME_SIZE)
    axes.set_ylim(max(len(pairs), 8) - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_title("images of the class on the left\nthat were taken for the one on the right", fontsize=10)
