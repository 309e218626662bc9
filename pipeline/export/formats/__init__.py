"""The formats that a model is exported to: one file each, found by its name.

A format's module has

    ENDING       how the name of an export ends
    IS_FOLDER    whether an export is a folder
    QUANTIZES    whether it can be of 8-bit whole numbers
    PACKAGES     the packages, by their names on PyPI, that run an export; MODULES, those that make and check one, by
                 the names that they are imported by
    SAMPLE       the lines of Python that run an export (sample.py); SAMPLE_IMPORT, the import that they need

    write(model: keras.Model, path: Path, facts: Facts, calibration: np.ndarray | None) -> None
        Write the model. calibration: training images (n, size, size, 3) uint8 to quantise it by; None: float32.

    load(path: Path, threads: int | None = None) -> Answer
        What answers as the export does, run by its own runtime.

A file in this folder is a format, and nothing else is.
"""

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from pipeline.errors import UserError

# Images (n, size, size, 3) uint8 -> probabilities (n, classes) float32.
Answer = Callable[[np.ndarray], np.ndarray]

# What a reader of an export has to know, as it is written in JSON.
Facts = dict[str, Any]


def format_named(name: str) -> ModuleType:
    """The module of a format. Raises UserError, with what to install, if a package that it takes is missing."""
    module = importlib.import_module(f"{__name__}.{name}")
    missing = [each for each in module.MODULES if importlib.util.find_spec(each) is None]
    if missing:
        raise UserError(
            f"--format {name} needs packages that are not installed ({', '.join(missing)}): "
            'pip install "past-the-ceiling[export]"'
        )
    return module
