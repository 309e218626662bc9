"""Figures of a study, from a table of its trials.

The table has a row a trial: number, state (complete, pruned or failed), the metric that trials are judged by (the best;
missing if it never came to an epoch), and a column for each option that is searched. metric: the name of that column.
scales: option -> linear, log or category.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation

from pipeline.figures import DPI, TRAIN_COLOUR, VAL_COLOUR, percent_axis, percentage
from pipeline.figures.names import labels
from pipeline.figures.style import log_axis
from pipeline.training.objective import METRICS, in_words, lower_is_better

ACCURACY = METRICS["accuracy"]
PRUNED_COLOUR = "#999999"
# The colour, the line and its width that a trial is drawn with.
STATE_LINES = {
    "complete": (TRAIN_COLOUR, "-", 1.2),
    "pruned": (PRUNED_COLOUR, ":", 1.2),
    "failed": ("black", ":", 0.8),
}
COLOUR_MAP = "viridis"
# Complete trials below which a surface between them, or the importance of an option, would show chance.
FEWEST_FOR_SURFACE = 10
FEWEST_FOR_IMPORTANCE = 20
MARGIN = 0.05
SLICES_A_ROW = 4
AXIS_TICKS = 5


def optimization_history(trials: pd.DataFrame, metric: str = ACCURACY) -> Figure:
    """Each trial's value, and the best so far."""
    figure = Figure(figsize=(8, 4.5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    complete, pruned = _of_state(trials, "complete", metric), _of_state(trials, "pruned", metric)
    if len(pruned):
        axes.plot(pruned["number"], pruned[metric], "o", mfc="none", color=PRUNED_COLOUR, label="pruned")
    if len(complete):
        axes.plot(complete["number"], complete[metric], "o", color=TRAIN_COLOUR, label="complete")
        best = complete[metric].cummin() if lower_is_better(metric) else complete[metric].cummax()
        axes.step(complete["number"], best, where="post", color=VAL_COLOUR, label="best so far")
        axes.set_title(f"best {metric} {in_words(best.iloc[-1], metric)}, of {len(complete)} complete trials")
    axes.set(xlabel="trial", ylabel=metric)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _value_axis(axes.yaxis, metric)
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def importances(importance: dict[str, float], complete: int, metric: str = ACCURACY) -> Figure:
    """How much of the differences between `complete` trials each option explains. importance: option -> 0 to 1.

    Of few trials the figure says that it is too early: what an option explains of six is chance.
    """
    if complete < FEWEST_FOR_IMPORTANCE:
        return _one_line(
            f"{complete} complete trials: too early to say which option matters; from {FEWEST_FOR_IMPORTANCE} on"
        )
    if not importance:
        return _one_line(f"{complete} complete trials, all with the same {metric}: no option made a difference")
    names = sorted(importance, key=lambda name: importance[name])
    figure = Figure(figsize=(7, 1.4 + 0.42 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [importance[name] for name in names], color=TRAIN_COLOUR, height=0.65)
    for row, name in enumerate(names):
        axes.text(importance[name] + 0.01, row, f"{importance[name]:.0%}", va="center", fontsize=9)
    axes.set_xlim(0, 1.1)
    percent_axis(axes.xaxis)
    title = f"part of the variance of {metric}, of {complete} complete trials\n(fANOVA, Hutter et al. 2014)"
    axes.set_title(title, fontsize=10)
    return figure


def _one_line(text: str) -> Figure:
    figure = Figure(figsize=(8, 1), dpi=DPI)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=10)
    return figure


def slices(trials: pd.DataFrame, scales: dict[str, str], metric: str = ACCURACY) -> Figure:
    """The trials' values against each option alone."""
    columns = min(len(scales), SLICES_A_ROW)
    rows = -(-len(scales) // columns)
    figure = Figure(figsize=(3.1 * columns + 1, 3.1 * rows + 0.5), dpi=DPI, layout="constrained")
    all_axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    for axes, (name, scale) in zip(all_axes, scales.items(), strict=False):
        for state, style in (
            ("pruned", {"mfc": "none", "color": PRUNED_COLOUR}),
            ("complete", {"color": TRAIN_COLOUR}),
        ):
            chosen = _of_state(trials, state, metric)
            if not len(chosen):
                continue
            axes.plot(_positions(chosen[name], trials[name], scale), chosen[metric], "o", label=state, **style)
        _scale(axes, "x", trials[name], scale)
        axes.set_xlabel(name)
        _value_axis(axes.yaxis, metric)
        axes.grid(alpha=0.3)
    for axes in all_axes[len(scales) :]:
        axes.set_visible(False)
    for axes in all_axes[::columns]:
        axes.set_ylabel(metric)
    figure.legend(*all_axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def parallel_coordinates(trials: pd.DataFrame, scales: dict[str, str], metric: str = ACCURACY) -> Figure:
    """A line a trial through its options to its value; the better, the brighter."""
    shown = trials[trials[metric].notna()].sort_values(metric, ascending=not lower_is_better(metric))
    names = [*scales, metric]
    kinds = scales | {metric: "linear"}
    figure = Figure(figsize=(1.9 * len(names) + 1.5, 5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    heights = np.stack([_heights(shown[name], shown[name], kinds[name]) for name in names], axis=1)
    colours = ScalarMappable(Normalize(*_reach(shown[metric])), _colour_map(metric))
    for row, value, state in zip(heights, shown[metric], shown["state"], strict=True):
        axes.plot(row, color=colours.to_rgba(value), lw=1.4, alpha=0.85, ls="-" if state == "complete" else ":")
    for position, name in enumerate(names):
        axes.axvline(position, color="black", lw=0.8)
        is_accuracy = name == metric and not lower_is_better(metric)
        for value, label in _ticks(shown[name], kinds[name], is_accuracy=is_accuracy):
            height = _heights(pd.Series([value]), shown[name], kinds[name])[0]
            axes.text(position + 0.03, height, label, fontsize=8, va="center", bbox=_BEHIND_TEXT)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.15, len(names) - 0.6)
    axes.set_ylim(-MARGIN, 1 + MARGIN)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    pruned = " (lines) and pruned (dotted)" if (shown["state"] == "pruned").any() else ""
    axes.set_title(f"trials: complete{pruned}", fontsize=10)
    return figure


_BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}


def contour(trials: pd.DataFrame, x: str, y: str, scales: dict[str, str], metric: str = ACCURACY) -> Figure:
    """The trials' values over two options: of few complete trials as the colour of each, of more also as a surface.

    Pruned ones are marked alone.
    """
    figure = Figure(figsize=(7.5, 5.2), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    complete, pruned = _of_state(trials, "complete", metric), _of_state(trials, "pruned", metric)
    mean = complete.groupby([x, y], as_index=False)[metric].mean()
    colours = Normalize(*_reach(complete[metric]))
    if _spans_an_area(mean, x, y, scales):
        # Neighbours are found where both axes reach from 0 to 1, and drawn where they are.
        heights = (_heights(mean[name], trials[name], scales[name]) for name in (x, y))
        mesh = Triangulation(mean[x], mean[y], Triangulation(*heights).triangles)
        axes.tricontourf(mesh, mean[metric], levels=12, cmap=_colour_map(metric), norm=colours)
    if len(pruned):
        axes.plot(pruned[x], pruned[y], "o", mfc="none", color=PRUNED_COLOUR, label="pruned")
    if len(complete):
        style: dict[str, Any] = {"cmap": _colour_map(metric), "norm": colours, "edgecolors": "black", "linewidths": 0.8}
        points = axes.scatter(complete[x], complete[y], c=complete[metric], label="complete", **style)
        bar = figure.colorbar(points, ax=axes, label=metric)
        _value_axis(bar.ax.yaxis, metric)
        best = best_row(complete, metric)
        said = f"best {in_words(best[metric], metric)}"
        axes.plot(best[x], best[y], "*", color=VAL_COLOUR, mec="black", ms=15, label=said)
    axes.set(xlabel=x, ylabel=y)
    for side, name in (("x", x), ("y", y)):
        _scale(axes, side, trials[name], scales[name])
    axes.use_sticky_edges = False
    axes.margins(MARGIN)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _spans_an_area(points: pd.DataFrame, x: str, y: str, scales: dict[str, str]) -> bool:
    if len(points) < FEWEST_FOR_SURFACE:
        return False
    places = np.stack([_heights(points[name], points[name], scales[name]) for name in (x, y)], axis=1)
    return bool(np.linalg.matrix_rank(places - places[0], tol=1e-6) > 1)


def learning_curves(curves: pd.DataFrame, title: str, best: int | None = None, metric: str = ACCURACY) -> Figure:
    """The metric by epoch of every trial. curves: number, state, epoch and the metric, one row an epoch of a trial.

    best: the number of the best trial, if there is one.
    """
    figure = Figure(figsize=(8, 5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for number, curve in curves.groupby("number"):
        state = curve["state"].iloc[0]
        colour, line, width = STATE_LINES[state]
        label = state
        if number == best:
            colour, line, width, label = VAL_COLOUR, "-", 2.5, f"best: trial {number}"
        axes.plot(curve["epoch"], curve[metric], color=colour, ls=line, lw=width, marker="o", ms=3, label=label)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        axes.legend(unique.values(), unique.keys(), loc="lower right")
    axes.set(xlabel="epoch", ylabel=metric)
    axes.set_title(title, fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _value_axis(axes.yaxis, metric)
    axes.grid(alpha=0.3)
    return figure


def _of_state(trials: pd.DataFrame, state: str, metric: str) -> pd.DataFrame:
    return trials[(trials["state"] == state) & trials[metric].notna()]


def best_row(trials: pd.DataFrame, metric: str) -> pd.Series:
    """The best of some trials by a metric; equals by val_loss, where the table has it."""
    columns = [metric, *trials.columns.intersection(["val_loss"]).drop(metric, errors="ignore")]
    ascending = [lower_is_better(metric), *[True] * (len(columns) - 1)]
    return trials.sort_values(columns, ascending=ascending, kind="stable").iloc[0]


def _colour_map(metric: str) -> str:
    """The better, the brighter."""
    return f"{COLOUR_MAP}_r" if lower_is_better(metric) else COLOUR_MAP


def _value_axis(axis: Axis, metric: str) -> None:
    if not lower_is_better(metric):
        percent_axis(axis)


def _categories(values: pd.Series) -> list[str]:
    """The values as text, in the order of the values."""
    return [str(value) for value in sorted(values.dropna().unique())]


def _positions(values: pd.Series, all_values: pd.Series, scale: str) -> pd.Series:
    """Where values stand on an axis: at themselves, or at their category's number."""
    return values.astype(str).map(_categories(all_values).index) if scale == "category" else values


def _heights(values: pd.Series, all_values: pd.Series, scale: str) -> np.ndarray:
    """Where values stand between the lowest (0) and the highest (1) of all."""
    positions = _positions(values, all_values, scale).to_numpy(float)
    everything = _positions(all_values, all_values, scale).to_numpy(float)
    if scale == "log":
        positions, everything = np.log(positions), np.log(everything)
    reach = np.nanmax(everything) - np.nanmin(everything)
    return (positions - np.nanmin(everything)) / reach if reach else np.full(len(positions), 0.5)


def _scale(axes: Axes, side: str, values: pd.Series, scale: str) -> None:
    """Scale the axis of a side, x or y, and place its ticks."""
    axis = axes.xaxis if side == "x" else axes.yaxis
    if scale == "category":
        names = _categories(values)
        axis.set_ticks(range(len(names)), labels(names))
        axes.set(**{f"{side}lim": (-0.5, len(names) - 0.5)})
    elif scale == "log":
        log_axis(axes, side, (1.0, 3.0))
    else:
        whole = pd.api.types.is_integer_dtype(values)
        axis.set_major_locator(MaxNLocator(AXIS_TICKS, steps=[1, 2, 5, 10], integer=whole))


def _reach(values: pd.Series) -> tuple[float, float]:
    """The least and the greatest value, apart from each other even where all are alike."""
    return (values.min(), max(values.max(), values.min() + 1e-9)) if len(values) else (0.0, 1.0)


def _ticks(values: pd.Series, scale: str, *, is_accuracy: bool) -> list[tuple]:
    """The values to write beside an axis, each with its text."""
    if scale == "category":
        names = _categories(values)
        return list(zip(names, labels(names), strict=True))
    lowest, highest = values.min(), values.max()
    if pd.api.types.is_integer_dtype(values) and highest - lowest < AXIS_TICKS:
        return [(value, str(value)) for value in range(lowest, highest + 1)]
    if scale == "log":
        return [(value, f"{value:.2g}") for value in np.geomspace(lowest, highest, AXIS_TICKS)]
    rounded = MaxNLocator(AXIS_TICKS + 1, steps=[1, 2, 5, 10]).tick_values(lowest, highest)
    inside = [value for value in rounded if lowest <= value <= highest] or [lowest]
    return [(value, percentage(value) if is_accuracy else f"{value:.4g}") for value in inside]
