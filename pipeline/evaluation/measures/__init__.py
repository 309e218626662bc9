"""The measures that an evaluation takes: one file each, found by its name.

A measure module has `measure(answers: Answers) -> Findings | None`: None where it does not apply to these answers. One
that asks the model again has `COSTLY = True`: it is left out where an evaluation is a step of something else.
A file in this folder is a measure, and nothing else is.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

from pipeline import docstrings
from pipeline.evaluation.contract import Answers, Findings

NAMES = docstrings.modules(Path(__file__).parent)


def findings(answers: Answers, costly: bool = True) -> Iterator[Findings]:
    """What each measure that applies finds in `answers`, one after the other; costly ones only if they are wanted."""
    for name in NAMES:
        module = importlib.import_module(f"{__name__}.{name}")
        if getattr(module, "COSTLY", False) and not costly:
            continue
        found = module.measure(answers)
        if found is not None:
            yield found
