"""The measures that an evaluation takes: one file each, found by its name.

A measure module has `measure(answers: Answers) -> Findings | None`: None where it does not apply to these answers.
A file in this folder is a measure, and nothing else is.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

from pipeline import docstrings
from pipeline.evaluation.contract import Answers, Findings

NAMES = docstrings.modules(Path(__file__).parent)


def findings(answers: Answers) -> Iterator[Findings]:
    """What each measure that applies finds in `answers`, one after the other."""
    for name in NAMES:
        found = importlib.import_module(f"{__name__}.{name}").measure(answers)
        if found is not None:
            yield found
