"""The judgements: one file each, found by its name; contract.py says what a file holds.

In the order in which their questions are asked, after Goodfellow et al. 2016, chapter 11: first whether the figures can
be believed (leaks, labels), then whether the training works at all (optimisation), then whether the network can learn
the training images (capacity), then what helps on other images.
"""

import importlib
from types import ModuleType

NAMES = (
    "leaks",
    "labels",
    "optimisation",
    "capacity",
    "length",
    "data",
    "resolution",
    "regularisation",
    "classes",
)


def judgements() -> dict[str, ModuleType]:
    """All judgements by name, in their order."""
    return {name: importlib.import_module(f"{__name__}.{name}") for name in NAMES}
