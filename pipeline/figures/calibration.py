"""How far a model's certainty can be trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import DPI, NAME_SIZE, TRAIN_COLOUR, VAL_COLOUR, percent_axis, percentage

# The thresholds that are named along a coverage curve.
NAMED_THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
# One is named at the next row of the table, if that is not farther away.
NEAR = 0.05


def reliability(
    tables: Mapping[str, pd.DataFrame], errors: Mapping[str, tuple[float, float, float]], title: str
) -> Figure:
    """Accuracy against confidence, one diagram for each version of the probabilities, over how often each is said.

    tables: as measures.calibration.reliability gives them. errors: the expected calibration error and its interval.
    """
    figure = Figure(figsize=(1.2 + 4.4 * len(tables), 5.6), dpi=DPI, layout="constrained")
    all_axes = figure.subplots(2, len(tables), height_ratios=[4, 1], sharex=True, sharey="row", squeeze=False)
    most = max((table["images"] / table["images"].sum()).max() for table in tables.values())
    for (name, table), axes, counts in zip(tables.items(), *all_axes, strict=True):
        _draw_bins(axes, table)
        error, low, high = errors[name]
        axes.set_title(f"{name}\ncalibration error {error:.1%} ({low:.1%} to {high:.1%})", fontsize=10)
        width = table["to"] - table["from"]
        share = table["images"] / table["images"].sum()
        counts.bar(table["from"], share, width, align="edge", color="grey", edgecolor="white")
        counts.set(xlabel="confidence", ylim=(0, 1.1 * most))
        percent_axis(counts.xaxis)
        percent_axis(counts.yaxis, 3)
    all_axes[0, 0].set_ylabel("accuracy")
    all_axes[1, 0].set_ylabel("images")
    figure.legend(*all_axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_bins(axes: Axes, table: pd.DataFrame) -> None:
    width = table["to"] - table["from"]
    axes.bar(
        table["from"], table["accuracy"], width, align="edge", color=TRAIN_COLOUR, edgecolor="white", label="accuracy"
    )
    reach = np.abs(table[["accuracy_low", "accuracy_high"]].to_numpy() - table[["accuracy"]].to_numpy()).T
    style: dict[str, Any] = {"fmt": "none", "ecolor": "black", "elinewidth": 0.8, "capsize": 2}
    axes.errorbar(table["confidence"], table["accuracy"], yerr=reach, label="95 % interval", **style)
    axes.plot([0, 1], [0, 1], color="black", ls=":", lw=1, label="as often right as it says")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    percent_axis(axes.yaxis)


def coverage(table: pd.DataFrame, title: str, answered: float | None, accuracy: float | None) -> Figure:
    """Accuracy of what is answered against the share that is answered, as the threshold rises from right to left.

    table: threshold, accuracy with its interval, answered, as measures.coverage gives it. answered, accuracy: those at
    the threshold that the user chose, if one was.
    """
    figure = Figure(figsize=(7.5, 4.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.fill_between(
        table["answered"], table["accuracy_low"], table["accuracy_high"], color=TRAIN_COLOUR, alpha=0.2, lw=0
    )
    said = "accuracy, with its 95 % interval"
    axes.plot(table["answered"], table["accuracy"], color=TRAIN_COLOUR, marker="o", ms=2.5, label=said)
    _name_thresholds(axes, table)
    if answered is not None and accuracy is not None:
        said = f"as chosen: {answered:.1%} answered, {accuracy:.1%} of them right"
        axes.plot(answered, accuracy, "*", color=VAL_COLOUR, mec="black", ms=15, label=said)
    axes.set(xlim=(0, 1.08), xlabel="images answered", ylabel="accuracy of the answered")
    axes.set_ylim(max(0.0, table["accuracy_low"].min() - 0.05), 1.03)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=9)
    axes.set_title(title, fontsize=11)
    return figure


def _name_thresholds(axes: Axes, table: pd.DataFrame) -> None:
    for threshold in NAMED_THRESHOLDS:
        above = table[table["threshold"] >= threshold]
        if len(above) and above["threshold"].iloc[0] - threshold < NEAR:
            place = (above["answered"].iloc[0], above["accuracy"].iloc[0])
            said = f"{percentage(threshold)} certain"
            axes.annotate(said, place, (4, 6), textcoords="offset points", fontsize=NAME_SIZE)
            axes.plot(*place, "o", color=TRAIN_COLOUR, ms=6)
