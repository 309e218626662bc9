"""All that draws: from arrays and tables to a matplotlib Figure."""

from pipeline.figures.classes import per_class
from pipeline.figures.confusion import confusion_matrix
from pipeline.figures.history import curves, loss_by_step
from pipeline.figures.images import mistakes, sample_sheet
from pipeline.figures.style import DPI, TEST_COLOUR, TRAIN_COLOUR, VAL_COLOUR, percent_axis, percentage

__all__ = [
    "DPI",
    "TEST_COLOUR",
    "TRAIN_COLOUR",
    "VAL_COLOUR",
    "confusion_matrix",
    "curves",
    "loss_by_step",
    "mistakes",
    "per_class",
    "percent_axis",
    "percentage",
    "sample_sheet",
]
