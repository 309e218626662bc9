"""What all figures have in common."""

from matplotlib.ticker import PercentFormatter

TRAIN_COLOUR, VAL_COLOUR, TEST_COLOUR = "#4c72b0", "#dd8452", "#55a868"
DPI = 120
# Of names along an axis, in points.
NAME_SIZE = 8


def percent() -> PercentFormatter:
    """Parts of one as whole per cents."""
    return PercentFormatter(1, decimals=0)
