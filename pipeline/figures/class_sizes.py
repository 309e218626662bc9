"""Whether classes with more training images are recognised better."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.names import inches, labels
from pipeline.figures.style import DPI, NAME_SIZE, TRAIN_COLOUR, log_axis, percent_axis

# Of more classes the intervals would hide the points.
MOST_WITH_INTERVALS = 60
# So many classes at either end of the accuracy are named.
NAMED = 5
# Sizes that differ by more are drawn on a logarithmic axis.
MANY_TIMES = 10


def class_sizes(table: pd.DataFrame, title: str) -> Figure:
    """The accuracy of each class against its number of training images, and the names of the best and the worst.

    table: as measures.class_sizes gives it.
    """
    listed = _listed(table)
    figure = Figure(figsize=(7.2 + inches(listed), 5), dpi=DPI, layout="constrained")
    axes, names = figure.subplots(1, 2, width_ratios=[6.5, 0.5 + inches(listed)])
    _draw_points(axes, table)
    axes.set_title(_said_of_rank(table), fontsize=10)
    names.axis("off")
    names.text(0, 0.98, "\n".join(listed), va="top", fontsize=NAME_SIZE, linespacing=1.6, transform=names.transAxes)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_points(axes, table: pd.DataFrame) -> None:
    sizes = table["training_images"].clip(lower=1)
    reach = np.abs(table[["accuracy_low", "accuracy_high"]].to_numpy() - table[["accuracy"]].to_numpy()).T
    few = len(table) <= MOST_WITH_INTERVALS
    style: dict[str, Any] = {"fmt": "o", "color": TRAIN_COLOUR, "ms": 4, "elinewidth": 0.6}
    axes.errorbar(sizes, table["accuracy"], yerr=reach if few else None, alpha=0.8 if few else 0.4, **style)
    if sizes.max() > MANY_TIMES * sizes.min():
        log_axis(axes)
    axes.set(xlabel="training images of the class", ylabel="accuracy", ylim=(-0.03, 1.03))
    percent_axis(axes.yaxis)
    axes.grid(alpha=0.3)


def _listed(table: pd.DataFrame) -> list[str]:
    """Lines that name the best and the worst classes, or all if they are few."""
    ranked = table.assign(label=labels(list(table["class"]))).sort_values("accuracy", kind="stable", ascending=False)
    lines = [
        f"{row['label']}: {row['accuracy']:.0%}, {row['training_images']:,} training images"
        for row in ranked.to_dict("records")
    ]
    return lines if len(lines) <= 2 * NAMED else [*lines[:NAMED], "…", *lines[-NAMED:]]


def _said_of_rank(table: pd.DataFrame) -> str:
    from scipy.stats import spearmanr

    count = f"{len(table):,} classes" + (", with 95 % intervals" if len(table) <= MOST_WITH_INTERVALS else "")
    if len(table) < 3 or table["accuracy"].nunique() < 2 or table["training_images"].nunique() < 2:
        return count
    found = spearmanr(table["training_images"], table["accuracy"])
    return f"{count}; rank correlation {found.statistic:+.2f} (p = {found.pvalue:.2g})"
