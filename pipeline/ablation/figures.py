"""The figure of a ladder."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.ablation.ladder import ALONE, CLIMB, WITHOUT
from pipeline.figures import DPI, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, percent_axis
from pipeline.figures.names import label, labels

WORSE_COLOUR = "#c44e52"
# In sizes of its font: what the figure has room for.
LONGEST_TITLE = 80
READINGS = {
    CLIMB: ("on the climb", TRAIN_COLOUR, "o"),
    ALONE: ("alone on top of the start", VAL_COLOUR, "s"),
    WITHOUT: ("missing from the goal", TEST_COLOUR, "D"),
}


def waterfall(means: pd.Series, effects: pd.DataFrame, title: str, shown: Mapping[str, str]) -> Figure:
    """The climb as a waterfall, and each change's effect in the three readings.

    means: mean val_accuracy by rung of the climb, the start first. effects: as ablation.effects gives them; their low
    and high are drawn. shown: change -> what to write beside it.
    """
    figure = Figure(figsize=(13, 2 + 0.6 * max(len(means), 3)), dpi=DPI, layout="constrained")
    climb_axes, effect_axes = figure.subplots(1, 2, width_ratios=[1.15, 1])
    names = labels([shown.get(name, name) for name in means.index])
    _climb(climb_axes, means, effects[effects["reading"] == CLIMB].set_index("change"), names)
    _effects(effect_axes, effects, list(means.index[1:]), names[1:])
    figure.legend(*effect_axes.get_legend_handles_labels(), loc="outside lower right", ncols=3, fontsize=9)
    figure.suptitle(label(title, LONGEST_TITLE), fontsize=11)
    return figure


def _climb(axes, means: pd.Series, effects: pd.DataFrame, shown: list[str]) -> None:
    names = list(means.index)
    axes.barh(0, means.iloc[0], color="grey", height=0.6)
    for row, name in enumerate(names[1:], 1):
        before, after = means.iloc[row - 1], means.iloc[row]
        if np.isnan(before) or np.isnan(after):
            continue
        colour = TRAIN_COLOUR if after >= before else WORSE_COLOUR
        axes.barh(row, after - before, left=before, color=colour, height=0.6)
        low, high = before + effects.loc[name, "low"], before + effects.loc[name, "high"]
        axes.plot([low, high], [row, row], color="black", lw=1, marker="|", ms=8)
        axes.plot([before, before], [row - 1, row + 0.3], color="black", lw=0.6, ls=":")
    highest = {
        name: means.iloc[row] + effects.loc[name, "high"] for row, name in enumerate(names[1:]) if name in effects.index
    }
    for row, (name, value) in enumerate(means.items()):
        text = "could not be trained" if np.isnan(value) else f"{value:.1%}"
        ends = [value, means.iloc[max(row - 1, 0)], highest.get(name, np.nan)]
        axes.text(np.nan_to_num(np.nanmax([0.0, *ends])) + 0.012, row, text, va="center", fontsize=9)
    axes.set_yticks(range(len(names)), shown)
    axes.invert_yaxis()
    axes.set_xlim(0, max(float(means.max()), *highest.values(), 0.0) * 1.25)
    percent_axis(axes.xaxis)
    axes.set_title("val_accuracy, rung by rung\nblack: least and greatest of the seeds", fontsize=10)


def _effects(axes, effects: pd.DataFrame, names: list[str], shown: list[str]) -> None:
    for number, (reading, (meaning, colour, marker)) in enumerate(READINGS.items()):
        rows = effects[effects["reading"] == reading]
        if rows.empty:
            continue
        places = np.array([names.index(name) for name in rows["change"]]) + 0.22 * (number - 1)
        # The mean of equal numbers can differ from them in the last digit.
        reach = np.clip([rows["effect"] - rows["low"], rows["high"] - rows["effect"]], 0, None)
        axes.errorbar(
            rows["effect"], places, xerr=reach, fmt=marker, color=colour, label=meaning, capsize=3, ms=6, elinewidth=1
        )
    axes.axvline(0, color="grey", lw=0.8)
    axes.set_yticks(range(len(names)), shown)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    percent_axis(axes.xaxis)
    axes.set_title("points of val_accuracy that\neach change brings, read three ways", fontsize=10)
    axes.margins(x=0.08)
