"""What all figures have in common."""

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

TRAIN_COLOUR, VAL_COLOUR, TEST_COLOUR = "#4c72b0", "#dd8452", "#55a868"
DPI = 120
# Of names along an axis, in points.
NAME_SIZE = 8
MOST_TICKS = 6


def percent_axis(axis: Axis, most: int = MOST_TICKS) -> None:
    """Ticks of an axis of fractions at round percentages: `most` steps at most, of 1, 2 or 5 times a power of ten."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(percentage))


def log_axis(axes: Axes, side: str = "x", steps: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """Make an axis logarithmic, with plain numbers at `steps` times powers of ten. side: x or y."""
    axes.set(**{f"{side}scale": "log"})
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(10, subs=steps, numticks=MOST_TICKS - 1))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def percentage(fraction: float, position: int | None = None) -> str:
    """A fraction as a percentage with the digits that it has: 0.125 is 12.5%. position: what matplotlib passes too."""
    return f"{100 * fraction:.4g}%"
