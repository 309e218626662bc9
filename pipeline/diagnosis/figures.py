"""The figure of a diagnosis, and the sheet of images whose labels are likely wrong."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.diagnosis.contract import Finding
from pipeline.figures import DPI, TRAIN_COLOUR, VAL_COLOUR, percent_axis
from pipeline.figures.names import label, labels

MOST_IMAGES, A_ROW = 24, 6
# Of one image: its width in inches, and the size of its text in points.
WIDTH, SIZE = 2.1, 7
CAUSE_EMS, REMEDY_EMS, TITLE_EMS = 14, 34, 80


def remedies(accuracy: float, ceiling: float, found: list[Finding], title: str) -> Figure:
    """One bar a remedy, from the accuracy that there is to what it would be, with its interval; and the ceiling.

    accuracy, ceiling: fractions. found: in order, the first at the top.
    """
    figure = Figure(figsize=(11, 2 + 0.7 * max(len(found), 1)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for row, each in enumerate(found):
        colour = "grey" if each.changes_question else VAL_COLOUR if each.gain.low > 0 else TRAIN_COLOUR
        axes.barh(row, each.gain.value, left=accuracy, color=colour, height=0.55)
        axes.plot([accuracy + each.gain.low, accuracy + each.gain.high], [row, row], color="black", lw=1.2, marker="|")
    names = [f"{label(each.cause, CAUSE_EMS)}\n{label(each.remedy, REMEDY_EMS)}" for each in found]
    axes.set_yticks(range(len(found)), names, fontsize=8)
    axes.set_ylim(max(len(found), 1) - 0.5, -0.5)
    axes.axvline(accuracy, color="black", lw=1, label=f"as it is: {accuracy:.1%}")
    axes.axvline(ceiling, color="black", lw=1, ls=":", label=f"forecast with all that surely helps: {ceiling:.1%}")
    percent_axis(axes.xaxis)
    axes.set_xlabel("val_accuracy; black: 95 % interval")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    figure.suptitle(label(title, TITLE_EMS), fontsize=11)
    return figure


def suspects(images: np.ndarray, table: pd.DataFrame) -> Figure:
    """The images whose labels are likeliest wrong, with the given and the suggested label.

    images: (n, size, size, 3) uint8, at most MOST_IMAGES. table: as judgements.labels.suspicious gives it, n rows.
    """
    ems = WIDTH * 72 / SIZE
    columns, rows = min(A_ROW, max(len(table), 3)), max(1, -(-len(table) // A_ROW))
    figure = Figure(figsize=(columns * WIDTH, 0.6 + rows * 2.4), dpi=DPI, layout="constrained")
    given, suggested = labels(table["given"].tolist(), ems - 6), labels(table["suggested"].tolist(), ems - 10)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, one, other, path in zip(figure.axes, images, given, suggested, table["path"], strict=False):
        axes.imshow(image)
        name = label(path.rpartition("/")[2], ems - 1)
        axes.set_title(f"given {one}\nsuggested {other}\n{name}", fontsize=SIZE)
    figure.suptitle(f"The first of {len(table):,} images whose labels are likeliest wrong", fontsize=11)
    return figure
