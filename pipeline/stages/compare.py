"""Two runs on the same images."""

from pipeline.config import CompareConfig
from pipeline.tracked.comparison import compare_tracked


def compare(config: CompareConfig) -> str:
    """Compare what two runs' models answer to the images of a split: who wins where, and which classes moved.

    Returns the id of the run that holds it. Raises UserError if there are no two such runs, or if they were asked about
    different images.
    """
    return compare_tracked(config)
