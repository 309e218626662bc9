"""What a builder tells of itself: its recipe, and how its hyperparameters are searched."""

import inspect
from collections.abc import Callable
from typing import Any

from pipeline.models.networks.contract import Network, NetworkSpec

HYPERPARAMETERS = ("depth", "width", "dropout", "whiten")


def architecture(
    build: Callable[[NetworkSpec], Network], builder: Callable, recipe: dict[str, Any], search: dict[str, Any]
) -> Callable[[NetworkSpec], Network]:
    """`build`, with what is known of `builder` attached to it.

    recipe: the options, by name, that the model trains well with; the defaults of the builder's hyperparameters (its
    keyword arguments depth, width, dropout and whiten) belong to it.
    search: epochs and image_size, if trials can be cheaper than the recipe and still rank configurations; and for
    depth and width the (lowest, highest) value that is worth a trial.
    """
    keywords = inspect.signature(builder).parameters.values()
    defaults = {each.name: each.default for each in keywords if each.name in HYPERPARAMETERS}
    build.recipe = defaults | recipe  # type: ignore[attr-defined]
    build.search = search  # type: ignore[attr-defined]
    build.builder = builder  # type: ignore[attr-defined]
    return build
