"""What a measure takes, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Answers:
    """A model's answers to the images of one split.

    split: val or test. images: (n, size, size, 3) uint8, as prepared. labels: (n,) int. paths: (n,).
    probabilities: (n, classes) float32, rows sum to 1. predict: images like these -> probabilities, for measures that
    ask the model again.
    """

    split: str
    images: np.ndarray
    labels: np.ndarray
    paths: list[str]
    class_names: list[str]
    probabilities: np.ndarray
    predict: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Findings:
    """What a measure found, by name.

    metrics: without the split's name, which is put before them. tables: logged as CSV; parquet: those that hold arrays.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    parquet: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, "Figure"] = field(default_factory=dict)
