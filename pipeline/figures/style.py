"""What all figures have in common."""

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

TRAIN_COLOUR, VAL_COLOUR, TEST_COLOUR = "#4c72b0", "#dd8452", "#55a868"
DPI = 120
# Of names along an axis, in points.
NAME_SIZE = 8
MOST_TICKS = 6


def percent_axis(axis: Axis, most: int = MOST_TICKS) -> None:
    """Ticks of an axis of fractions at round percentages: `most` steps at most, of 1, 2 or 5 times a power of ten."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(percentage))


def percentage(fraction: float, position: int | None = None) -> str:
    """A fraction as a percentage with the digits that it has: 0.125 is 12.5%. position: what matplotlib passes too."""
    return f"{100 * fraction:.4g}%"
