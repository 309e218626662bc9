"""What the images of a data set are like: their sizes and shapes, how many a class has, which are nearly the same."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from pipeline.figures.names import label, labels
from pipeline.figures.style import DPI, NAME_SIZE, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR

COLOURS = {"train": TRAIN_COLOUR, "val": VAL_COLOUR, "test": TEST_COLOUR}
MOST_NAMED, MOST_PAIRS = 30, 6
BINS, TICKS = 41, 7
# From here on, values are shown without fractions.
LARGE = 10
# How wide the name of a class and the text of a pair may be, in sizes of their font.
CLASS_EMS, PAIR_EMS = 9.0, 15.0


class Pair(NamedTuple):
    """Two images, (size, size, 3) uint8, that are nearly the same, and a line of text about each and about both."""

    first: np.ndarray
    second: np.ndarray
    lines: Sequence[str]


def quality(
    sizes: np.ndarray, counts: dict[str, list[int]], class_names: Sequence[str], pairs: Sequence[Pair]
) -> Figure:
    """Sizes and shapes of the pictures, images by class and split, and pairs of images that are nearly the same.

    sizes: (n, 2) widths and heights in pixels. counts: split -> images of each class.
    """
    ratios = (2.2, 2.6, 1.5 if pairs else 0.4)
    figure = Figure(figsize=(11, 1.2 * sum(ratios)), dpi=DPI, layout="constrained")
    parts = figure.subfigures(3, 1, squeeze=False, height_ratios=ratios)[:, 0]
    left, right = parts[0].subplots(1, 2)
    _draw_ratios(left, sizes.min(axis=1), "Sizes in the files", "shorter side, pixels")
    _draw_ratios(right, sizes[:, 0] / sizes[:, 1], "Shapes in the files", "width by height")
    _draw_classes(parts[1].subplots(), counts, class_names)
    _draw_pairs(parts[2], pairs[:MOST_PAIRS])
    return figure


def _draw_ratios(axes: Axes, values: np.ndarray, title: str, what: str) -> None:
    """How often each value is there, on a scale of ratios: one picture may be a hundred times as large as another."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = 0.8 * low, 1.25 * high
    axes.hist(values, bins=np.geomspace(low, high, BINS + 1).tolist(), color=TRAIN_COLOUR)
    axes.set_xscale("log")
    ticks = np.geomspace(low, high, TICKS)
    axes.set_xticks(ticks, [f"{tick:,.0f}" if low >= LARGE else f"{tick:.2g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel=what, ylabel="pictures", title=title)


def _draw_classes(axes: Axes, counts: dict[str, list[int]], class_names: Sequence[str]) -> None:
    order = np.argsort(-np.array(counts["train"]), kind="stable")
    below = np.zeros(len(order))
    for split, of_split in counts.items():
        images = np.array(of_split)[order]
        if images.any():
            axes.bar(np.arange(len(order)), images, 0.8, below, color=COLOURS[split], label=split)
        below += images
    if len(order) <= MOST_NAMED:
        names = labels(class_names, CLASS_EMS)
        axes.set_xticks(range(len(order)), [names[each] for each in order], fontsize=NAME_SIZE)
        axes.tick_params("x", rotation=90 if len(order) > 8 else 0)
    else:
        axes.set_xlabel(f"{len(order):,} classes, those with most training images first")
        axes.set_xticks([])
    axes.set_xlim(-0.6, len(order) - 0.4)
    axes.set(ylabel="images", title="Images a class")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=NAME_SIZE, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _draw_pairs(figure: SubFigure, pairs: Sequence[Pair]) -> None:
    if not pairs:
        figure.text(0.5, 0.5, "No near-duplicates were found", ha="center", va="center", fontsize=11)
        return
    figure.suptitle("Some near-duplicates", fontsize=11)
    for axes in figure.subplots(1, MOST_PAIRS, squeeze=False).flat:
        axes.axis("off")
    for axes, pair in zip(figure.axes, pairs, strict=False):
        gap = np.full((len(pair.first), max(2, len(pair.first) // 16), 3), 255, np.uint8)
        axes.imshow(np.concatenate([pair.first, gap, pair.second], axis=1))
        axes.set_title("\n".join(label(line, PAIR_EMS) for line in pair.lines), fontsize=NAME_SIZE - 1)
