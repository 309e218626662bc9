"""Two models on the same images."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.names import inches, label, labels
from pipeline.figures.style import DPI, NAME_SIZE, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, percent_axis

# Of more classes those are drawn that are least likely to have moved by chance.
MOST_DRAWN = 40
SIGNIFICANT = 0.05
LONGEST_TITLE = 90
# Of the sheet of images: a row's, their size in inches, that of their text in points, and how many of either model.
COLUMNS, IMAGE_INCHES, TEXT_SIZE = 6, 1.9, 7
MOST_OF_A_MODEL = 12


def class_changes(table: pd.DataFrame, names: tuple[str, str], title: str) -> Figure:
    """How the accuracy of each class changes from the first model (circle) to the second (disc).

    table: as evaluation.class_changes gives it, the greatest gain first. names: of both models. The classes that moved
    by more than chance are bold.
    """
    drawn = table.nsmallest(MOST_DRAWN, "p").sort_index()
    shown = [
        f"{name} (n={images:,})" for name, images in zip(labels(list(drawn["class"])), drawn["images"], strict=True)
    ]
    figure = Figure(figsize=(6 + inches(shown), max(3.0, 1.9 + 0.21 * len(drawn))), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(drawn))
    better = drawn["change"].to_numpy() >= 0
    for rising, colour, said in ((True, TEST_COLOUR, "better"), (False, VAL_COLOUR, "worse")):
        rows = better == rising
        ends = drawn[["first_accuracy", "second_accuracy"]].to_numpy()[rows]
        axes.hlines(places[rows], ends[:, 0], ends[:, 1], color=colour, lw=3, label=f"{said} in the second")
    axes.plot(drawn["first_accuracy"], places, "o", mfc="white", color="black", ms=5, label=f"first: {label(names[0])}")
    axes.plot(drawn["second_accuracy"], places, "o", color=TRAIN_COLOUR, ms=5, label=f"second: {label(names[1])}")
    axes.set_yticks(places, shown, fontsize=NAME_SIZE)
    for tick, p in zip(axes.get_yticklabels(), drawn["p_adjusted"], strict=True):
        tick.set_fontweight("bold" if p < SIGNIFICANT else "normal")
    axes.set(xlim=(-0.02, 1.02), ylim=(len(drawn) - 0.3, -0.7), xlabel="accuracy of the class")
    percent_axis(axes.xaxis)
    axes.grid(axis="x", alpha=0.3)
    left_out = f"; the {len(drawn)} of {len(table):,} that did so most clearly" if len(drawn) < len(table) else ""
    moved = int((table["p_adjusted"] < SIGNIFICANT).sum())
    axes.set_title(f"bold: moved by more than chance ({moved:,} classes){left_out}", fontsize=9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    figure.suptitle(label(title, LONGEST_TITLE), fontsize=10)
    return figure


def differing(images: np.ndarray, table: pd.DataFrame, title: str) -> Figure:
    """Images that one model alone has right, those of the first model before those of the second.

    images: (n, size, size, 3) uint8. table: their rows of evaluation.differing.
    """
    counts = [int((table["right"] == who).sum()) for who in ("first", "second")]
    blocks = [-(-count // COLUMNS) for count in counts]
    size = (COLUMNS * IMAGE_INCHES, 0.6 + sum(blocks) * (IMAGE_INCHES + 0.5))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(sum(blocks), COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    ems = IMAGE_INCHES * 72 / TEXT_SIZE - 10
    # The second model's images begin a row of their own.
    places = [*range(counts[0]), *range(blocks[0] * COLUMNS, blocks[0] * COLUMNS + counts[1])]
    for place, image, row in zip(places, images, table.to_dict("records"), strict=True):
        axes = grid.flat[place]
        axes.imshow(image)
        said = [
            f"{who}: {label(row[f'predicted_{who}'], ems)} {row[f'probability_{who}']:.0%}"
            for who in ("first", "second")
        ]
        axes.set_title("\n".join([f"{row['right']} is right", *said]), fontsize=TEXT_SIZE)
    figure.suptitle(label(title, LONGEST_TITLE), fontsize=10)
    return figure


def who_is_right(counts: Mapping[str, int], title: str) -> Figure:
    """How many images both, one or none of the models has right, as parts of one bar. counts: in words -> images."""
    figure = Figure(figsize=(9, 1.9), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    whole, left = sum(counts.values()), 0.0
    for (said, count), colour in zip(counts.items(), (TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, "#bbbbbb"), strict=True):
        part = count / whole
        axes.barh(0, part, left=left, color=colour, edgecolor="white", label=f"{said}: {count:,} ({part:.1%})")
        left += part
    axes.set(xlim=(0, 1), yticks=[])
    percent_axis(axes.xaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(label(title, LONGEST_TITLE), fontsize=10)
    return figure
