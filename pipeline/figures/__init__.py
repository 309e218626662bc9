"""All that draws: from arrays and tables to a matplotlib Figure."""

from pipeline.figures.answers import MOST_ANSWERS, answer_sheet
from pipeline.figures.attention import attention
from pipeline.figures.calibration import coverage, reliability
from pipeline.figures.class_sizes import class_sizes
from pipeline.figures.classes import per_class
from pipeline.figures.comparison import MOST_OF_A_MODEL, class_changes, differing, who_is_right
from pipeline.figures.confusion import confusion_matrix
from pipeline.figures.history import curves, loss_by_step
from pipeline.figures.images import mistakes, sample_sheet
from pipeline.figures.pairs import confused_pairs
from pipeline.figures.quality import MOST_PAIRS, Pair, quality
from pipeline.figures.robustness import robustness
from pipeline.figures.style import DPI, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, percent_axis, percentage

__all__ = [
    "DPI",
    "MOST_ANSWERS",
    "MOST_OF_A_MODEL",
    "MOST_PAIRS",
    "TEST_COLOUR",
    "TRAIN_COLOUR",
    "VAL_COLOUR",
    "Pair",
    "answer_sheet",
    "attention",
    "class_changes",
    "class_sizes",
    "confused_pairs",
    "confusion_matrix",
    "coverage",
    "curves",
    "differing",
    "loss_by_step",
    "mistakes",
    "per_class",
    "percent_axis",
    "percentage",
    "quality",
    "reliability",
    "robustness",
    "sample_sheet",
    "who_is_right",
]
