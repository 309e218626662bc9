"""What disturbed images do to an accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import DPI, NAME_SIZE, TRAIN_COLOUR, percent_axis

SHADES = (0.45, 0.7, 1.0)


def robustness(table: pd.DataFrame, examples: Mapping[tuple[str, int], np.ndarray], title: str) -> Figure:
    """The accuracy under each disturbance at its three strengths, and below each bar what it does to one image.

    table: as measures.robustness gives it, the undisturbed images in its first row. examples: disturbance and strength
    -> (size, size, 3) uint8.
    """
    plain, disturbed = table.iloc[0], table.iloc[1:]
    count = len(disturbed)
    figure = Figure(figsize=(1 + 0.82 * count, 5.2), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, count, height_ratios=[3.2, 1])
    axes = figure.add_subplot(grid[0, :])
    colours = [(TRAIN_COLOUR, SHADES[strength - 1]) for strength in disturbed["strength"]]
    axes.bar(range(count), disturbed["accuracy"], color=colours, width=0.8)
    reach = np.abs(disturbed[["accuracy_low", "accuracy_high"]].to_numpy() - disturbed[["accuracy"]].to_numpy()).T
    style: dict[str, Any] = {"fmt": "none", "ecolor": "black", "elinewidth": 0.8, "capsize": 2}
    axes.errorbar(range(count), disturbed["accuracy"], yerr=reach, label="95 % interval", **style)
    said = f"undisturbed, {plain['accuracy']:.1%}"
    axes.axhline(plain["accuracy"], color="black", ls="--", lw=1, label=said)
    names = [f"{row['disturbance']}\n{row['setting']}" for _, row in disturbed.iterrows()]
    axes.set_xticks(range(count), names, fontsize=NAME_SIZE)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(0, 1), ylabel="accuracy")
    percent_axis(axes.yaxis)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="upper right", ncols=2, fontsize=9)
    axes.set_title(title, fontsize=11)
    for column, (_, row) in enumerate(disturbed.iterrows()):
        picture = figure.add_subplot(grid[1, column])
        picture.imshow(examples[row["disturbance"], row["strength"]])
        picture.axis("off")
    return figure
