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
    temperature: the one that was fitted to the model on val, if there is one. uncalibrated: the probabilities without
    it, where `probabilities` and `predict` have it applied, else None. unsure: (n,) bool, the answers that are too
    uncertain to count; None if all count.
    heat_maps: images and a class for each, (n,) -> (n, height, width), what of each image spoke for the class, 0 to 1;
    None where the network cannot say. mirrorable: whether a mirrored image keeps its class.
    training_images: (classes,), how many images of each class the model learned from. network_bytes: of its file.
    contents: (n,), a digest of each image's file.
    """

    split: str
    images: np.ndarray
    labels: np.ndarray
    paths: list[str]
    class_names: list[str]
    probabilities: np.ndarray
    predict: Callable[[np.ndarray], np.ndarray]
    temperature: float | None = None
    uncalibrated: np.ndarray | None = None
    unsure: np.ndarray | None = None
    heat_maps: Callable[[np.ndarray, np.ndarray], np.ndarray | None] | None = None
    mirrorable: bool = False
    training_images: np.ndarray | None = None
    network_bytes: int | None = None
    contents: list[str] | None = None


@dataclass(frozen=True)
class Findings:
    """What a measure found, by name.

    metrics: without the split's name, which is put before them. of_model: metrics of the model whatever the split, with
    their whole names. tables: logged as CSV; parquet: those that hold arrays.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    of_model: dict[str, float] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    parquet: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, "Figure"] = field(default_factory=dict)
