"""All that draws: from arrays and tables to a matplotlib Figure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

TRAIN_COLOUR, VAL_COLOUR, TEST_COLOUR = "#4c72b0", "#dd8452", "#55a868"
DPI = 120
SHOWN_MISTAKES = 24
MANY_CLASSES = 100


def curves(history: pd.DataFrame, chance: float) -> Figure:
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
    best = history.loc[history["val_accuracy"].idxmax()]
    accuracy_axes.axhline(chance, color="grey", linestyle=":", label=f"chance {chance:.1%}")
    accuracy_axes.legend(loc="lower right")
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1))
    accuracy_axes.set_ylim(bottom=0)
    accuracy_axes.set_title(f"best val_accuracy {best['val_accuracy']:.1%} in epoch {best['epoch']:.0f}")
    loss_axes.set_title("loss (train: as trained on, augmented and smoothed)")
    return figure


def loss_by_step(steps: pd.DataFrame, history: pd.DataFrame) -> Figure:
    """The loss of every step, and the accuracies by epoch, as the reference report shows its hand-written network.

    steps: columns step (from 1) and loss. history: as for curves; its test_accuracy is shown if it has any.
    """
    figure = Figure(figsize=(11, 4.2), dpi=DPI, layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    window = max(1, len(steps) // 100)
    smoothed = steps["loss"].rolling(window, min_periods=1, center=True).mean()
    loss_axes.plot(steps["step"], steps["loss"], color=TRAIN_COLOUR, alpha=0.25, lw=0.5, label="each step")
    loss_axes.plot(steps["step"], smoothed, color=TRAIN_COLOUR, label=f"mean of {window} steps")
    loss_axes.set(xlabel="step", ylabel="loss", title="training loss by step")
    shown = {"train_accuracy": TRAIN_COLOUR, "val_accuracy": VAL_COLOUR, "test_accuracy": TEST_COLOUR}
    for name, colour in shown.items():
        if name in history and history[name].notna().any():
            accuracy_axes.plot(history["epoch"], history[name], color=colour, label=name.removesuffix("_accuracy"))
    accuracy_axes.set(xlabel="epoch", ylabel="accuracy", title="accuracy by epoch")
    accuracy_axes.set_ylim(bottom=0)
    accuracy_axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (loss_axes, accuracy_axes):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def sample_sheet(images: np.ndarray, labels: np.ndarray, class_names: list[str], samples: int = 6) -> Figure:
    """The first `samples` images of every class, a row a class, in as many columns of classes as look well.

    images: (n, size, size, 3) uint8. labels: (n,).
    """
    shown = class_names[:MANY_CLASSES]
    blocks = 1 if len(shown) <= 12 else 3 if len(shown) <= 60 else 5
    rows = -(-len(shown) // blocks)
    size = images.shape[1]
    gap = max(2, size // 16)
    strip = np.full((rows, blocks, size + gap, samples * (size + gap), 3), 255, np.uint8)
    for label in range(len(shown)):
        block, row = divmod(label, rows)
        for column, index in enumerate(np.flatnonzero(labels == label)[:samples]):
            left = column * (size + gap)
            strip[row, block, :size, left : left + size] = images[index]
    figure = Figure(figsize=(blocks * (1.4 + samples * 0.5), 0.6 + rows * 0.52), dpi=DPI, layout="constrained")
    all_axes = np.atleast_1d(figure.subplots(1, blocks))
    for block, axes in enumerate(all_axes):
        names = shown[block * rows : (block + 1) * rows]
        axes.imshow(strip[: len(names), block].reshape(-1, strip.shape[3], 3), interpolation="nearest")
        axes.set_yticks(np.arange(len(names)) * (size + gap) + size / 2, [_short(name) for name in names], fontsize=8)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    more = f" (the first {len(shown)} of {len(class_names)} classes)" if len(shown) < len(class_names) else ""
    figure.suptitle(f"Training images, {samples} a class{more}", fontsize=10)
    return figure


def confusion_matrix(counts: np.ndarray, class_names: list[str], title: str) -> Figure:
    """counts: (classes, classes), row the true class, column the predicted one; shown as parts of each row."""
    classes = len(class_names)
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = float(np.clip(2.5 + 0.2 * classes, 5, 24))
    figure = Figure(figsize=(side + 1.2, side), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(parts, cmap="viridis", vmin=0, vmax=1)
    names = [_short(name) for name in class_names]
    fontsize = 8 if classes <= MANY_CLASSES else 4
    axes.set_xticks(np.arange(classes), names, rotation=90, fontsize=fontsize)
    axes.set_yticks(np.arange(classes), names, fontsize=fontsize)
    axes.set(xlabel="predicted class", ylabel="true class", title=title)
    bar = figure.colorbar(picture, ax=axes, shrink=0.6, label="part of the true class")
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def per_class(table: pd.DataFrame, title: str) -> Figure:
    """Recall and precision of each class, the best at the top. table: as metrics.per_class returns it."""
    table = table.sort_values("recall")
    figure = Figure(figsize=(7, float(np.clip(1.2 + 0.19 * len(table), 3, 40))), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(table))
    axes.barh(rows, table["recall"], color=TRAIN_COLOUR, height=0.7, label="recall")
    axes.plot(table["precision"], rows, "o", color=VAL_COLOUR, ms=4, label="precision")
    axes.set_yticks(rows, [_short(name) for name in table["class"]], fontsize=8)
    axes.set_ylim(-0.7, len(table) - 0.3)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(title)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def mistakes(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, class_names: list[str], title: str
) -> Figure:
    """The images that were taken for a wrong class with the highest probability."""
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN_MISTAKES]
    columns = 6
    rows = max(1, -(-len(wrong) // columns))
    figure = Figure(figsize=(columns * 1.9, 0.6 + rows * 2.25), dpi=DPI, layout="constrained")
    for axes in figure.subplots(rows, columns).flat:
        axes.axis("off")
    for axes, index in zip(figure.axes, wrong, strict=False):
        axes.imshow(images[index])
        taken_for, truth = (_short(class_names[label], 22) for label in (predicted[index], labels[index]))
        axes.set_title(f"{taken_for} {confidence[index]:.0%}\nis {truth}", fontsize=8)
    figure.suptitle(title if len(wrong) else f"{title}: none", fontsize=11)
    return figure


def _short(name: str, length: int = 26) -> str:
    # A dollar sign would start mathematics.
    shown = name if len(name) <= length else name[: length - 1] + "…"
    return shown.replace("$", r"\$")
