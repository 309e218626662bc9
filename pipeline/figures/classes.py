"""How well each class is recognised."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.names import inches, labels
from pipeline.figures.style import DPI, NAME_SIZE, TRAIN_COLOUR, VAL_COLOUR, percent_axis

# Of more classes the worst and the best are drawn, so many of each, with a gap between them.
MOST_DRAWN = 60
AT_AN_END = 25
GAP = 2
ROW_INCHES = 0.19
BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}


def per_class(table: pd.DataFrame, title: str) -> Figure:
    """Recall with its interval, and precision, of each class, the best at the top; of many, of the best and the worst.

    table: as measures.per_class gives it: a row a class with class, images, precision, recall, recall_low, recall_high.
    """
    table = table.assign(label=_labels(table))
    counted, unseen = _counted(table)
    drawn, places = _placed(counted)
    size = (5.2 + inches(drawn["label"]), max(3.0, 1.3 + ROW_INCHES * (places[-1] + 1)))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.barh(places, drawn["recall"], color=TRAIN_COLOUR, height=0.7, label="recall")
    seen = drawn["images"] > 0
    reach = np.abs(drawn[["recall_low", "recall_high"]].to_numpy() - drawn[["recall"]].to_numpy())[seen].T
    style: dict[str, Any] = {"fmt": "none", "ecolor": "black", "elinewidth": 0.8, "capsize": 2}
    axes.errorbar(drawn["recall"][seen], places[seen], xerr=reach, label="95 % interval of recall", **style)
    axes.plot(drawn["precision"], places, "o", color=VAL_COLOUR, ms=4, label="precision", clip_on=False)
    _say_zeros(axes, drawn, places)
    if len(drawn) < len(counted):
        _say_gap(axes, counted.iloc[AT_AN_END:-AT_AN_END])
    axes.set_yticks(places, drawn["label"], fontsize=NAME_SIZE)
    axes.set_ylim(-0.7, places[-1] + 0.7)
    axes.set_xlim(0, 1)
    percent_axis(axes.xaxis)
    axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title + (f"\n{unseen:,} classes without images are left out" if unseen else ""), fontsize=11)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _labels(table: pd.DataFrame) -> list[str]:
    names = labels(list(table["class"]))
    return [f"{name} (n={images:,})" for name, images in zip(names, table["images"], strict=True)]


def _counted(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The classes from the worst to the best, and how many are left out: of many, those that have no image."""
    ranked = table.assign(seen=table["images"] > 0).sort_values(["seen", "recall", "precision"], kind="stable")
    if len(ranked) <= MOST_DRAWN:
        return ranked, 0
    return ranked[ranked["seen"]], int((~ranked["seen"]).sum())


def _placed(ranked: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The classes to draw, and the height of each on the axis."""
    if len(ranked) <= MOST_DRAWN:
        return ranked, np.arange(len(ranked))
    ends = pd.concat([ranked.iloc[:AT_AN_END], ranked.iloc[-AT_AN_END:]])
    places = np.arange(len(ends))
    return ends, np.where(places < AT_AN_END, places, places + GAP)


def _say_zeros(axes: Axes, drawn: pd.DataFrame, places: np.ndarray) -> None:
    """Say what an empty row means: no image was recognised, or there was none."""
    for place, recall, images in zip(places, drawn["recall"], drawn["images"], strict=True):
        if not images or recall == 0:
            said = f"0%, 0 of {images:,} images" if images else "no images"
            axes.text(0.015, place, said, va="center", fontsize=NAME_SIZE - 1, color="dimgrey", bbox=BEHIND_TEXT)


def _say_gap(axes: Axes, between: pd.DataFrame) -> None:
    low, high = between["recall"].iloc[[0, -1]]
    said = f"… {len(between):,} classes between, recall {low:.0%} to {high:.0%} …"
    axes.text(0.5, AT_AN_END + GAP / 2 - 0.5, said, ha="center", va="center", fontsize=NAME_SIZE + 1)
