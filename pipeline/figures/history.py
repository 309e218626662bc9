"""How a training went."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures.style import DPI, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, percent_axis


def curves(history: pd.DataFrame, chance: float, best_epoch: int) -> Figure:
    """Accuracy and loss of both splits by epoch. history: the columns of EpochResult, one row an epoch."""
    figure = Figure(figsize=(11, 4.2), dpi=DPI, layout="constrained")
    accuracy_axes, loss_axes = figure.subplots(1, 2)
    for axes, name in ((accuracy_axes, "accuracy"), (loss_axes, "loss")):
        marker = "o" if len(history) <= 40 else None
        for split, colour in (("train", TRAIN_COLOUR), ("val", VAL_COLOUR)):
            axes.plot(history["epoch"], history[f"{split}_{name}"], color=colour, label=split, marker=marker, ms=3)
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    best = history.set_index("epoch", drop=False).loc[best_epoch]
    for axes in (accuracy_axes, loss_axes):
        axes.axvline(best["epoch"], color="grey", lw=0.8, zorder=0)
        if len(history) == 1:
            axes.set_xlim(0, 2)
    star = {"color": VAL_COLOUR, "mec": "black", "ms": 12, "label": "best epoch"}
    accuracy_axes.plot(best["epoch"], best["val_accuracy"], "*", **star)
    accuracy_axes.axhline(chance, color="grey", linestyle=":", label=f"chance {chance:.1%}")
    accuracy_axes.legend(loc="lower right")
    percent_axis(accuracy_axes.yaxis)
    accuracy_axes.set_ylim(bottom=0)
    accuracy_axes.set_title(f"best epoch {best_epoch}: val_accuracy {best['val_accuracy']:.1%}")
    outside = _leave_out_spikes(loss_axes, history)
    loss_axes.set_title(f"loss (train: as trained on, augmented and smoothed){outside}")
    return figure


def _leave_out_spikes(axes: Axes, history: pd.DataFrame) -> str:
    """End the axis of the loss below what would press all else into a line; returns what to say of that.

    A spike lies over twice the outer fence of Tukey (1977), three times the quartiles' distance above the upper one.
    """
    losses = history[["train_loss", "val_loss"]]
    lower, upper = np.nanquantile(losses, [0.25, 0.75])
    fence = 2 * (upper + 3 * (upper - lower))
    if not (losses > fence).to_numpy().any():
        return ""
    kept = losses[losses <= fence]
    axes.set_ylim(0, 1.1 * kept.max().max() or None)
    highest = losses.max(axis=1).idxmax()
    return f"\nabove the axis: {losses.max(axis=1)[highest]:.3g} in epoch {history['epoch'][highest]:.0f}"


def loss_by_step(steps: pd.DataFrame, history: pd.DataFrame) -> Figure:
    """The loss of every step, and the accuracies by epoch, as the reference report shows its hand-written network.

    steps: columns step (from 1) and loss. history: as for curves; its test_accuracy is shown if it has any.
    """
    figure = Figure(figsize=(11, 4.2), dpi=DPI, layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    window = max(1, len(steps) // 100)
    smoothed = steps["loss"].rolling(window, min_periods=1, center=True).mean()
    if window > 1:
        loss_axes.plot(steps["step"], steps["loss"], color=TRAIN_COLOUR, alpha=0.25, lw=0.5, label="each step")
    label = f"mean of {window} steps" if window > 1 else "each step"
    loss_axes.plot(steps["step"], smoothed, color=TRAIN_COLOUR, label=label)
    loss_axes.set(xlabel="step", ylabel="loss", title="training loss by step")
    shown = {"train_accuracy": TRAIN_COLOUR, "val_accuracy": VAL_COLOUR, "test_accuracy": TEST_COLOUR}
    for name, colour in shown.items():
        if name in history and history[name].notna().any():
            accuracy_axes.plot(history["epoch"], history[name], color=colour, label=name.removesuffix("_accuracy"))
    accuracy_axes.set(xlabel="epoch", ylabel="accuracy", title="accuracy by epoch")
    accuracy_axes.set_ylim(bottom=0)
    accuracy_axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    percent_axis(accuracy_axes.yaxis)
    for axes in (loss_axes, accuracy_axes):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
