"""The network contract. No stage, and nothing in training's loop, asks which kind of network it has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from pipeline.data.batches import Batch
from pipeline.data.picked import Images
from pipeline.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class EpochFit:
    """losses: (steps,) the loss of each batch before its step. accuracy: over the epoch's images as they were seen,
    of which there were `images`.

    compile_seconds: what first steps of a new batch shape took longer than the others, to build their graphs.
    """

    losses: np.ndarray
    accuracy: float
    images: int
    compile_seconds: float


@dataclass(frozen=True)
class NetworkSpec:
    """What every network is built from.

    preprocessing: what happens to an image before its first layer; it sees images of preprocessing.seen_size pixels.
    hyperparameters: those of its builder (depth, width, dropout, whiten).
    weights: what it begins with: none (drawn from the seed), imagenet or a file.
    optimizer: sgd, adamw or adam. precision: float32 or bfloat16. devices: how many share out each batch, or auto.
    sample: (n, seen_size, seen_size, 3) uint8, training images for layers that begin fitted to them.
    """

    preprocessing: Preprocessing
    classes: int
    hyperparameters: dict
    optimizer: str
    weight_decay: float
    precision: str
    seed: int
    deterministic: bool
    weights: str = "none"
    devices: int | str = 1
    sample: np.ndarray | None = None


class Network(Protocol):
    """A classifier of uint8 RGB images that can be trained. It standardises pixels itself.

    requirements: the packages, by their name on PyPI, that a saved one needs to be loaded, beside NumPy.
    standardizes_in_file: whether the graph in its saved file takes pixels as they are, 0 to 255.
    """

    requirements: tuple[str, ...]
    standardizes_in_file: bool

    def fit_epoch(self, batches: Iterable[Batch], learning_rates: Sequence[float]) -> EpochFit:
        """One pass over `batches`, one step and one learning rate a batch."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Take images (n, size, size, 3) uint8 to probabilities (n, classes) float32, rows sum to 1."""

    def head(self) -> "Head":
        """Its last layer, to be trained apart from the rest of it, the body."""

    def train_body(self, part: float) -> None:
        """Have so much of the body learn from now on, from 0 to 1, counted in layers back from the last one."""

    def forget_steps(self) -> None:
        """Begin the optimiser anew, as if it had taken no step."""

    def takes(self, image_size: int) -> bool:
        """Whether it can be trained on images of this side, in pixels, as well as on those it was built for."""

    def layers(self) -> pd.DataFrame:
        """One row a layer: name, kind, output_shape, parameters, trainable_parameters."""

    def heat_maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
        """What of each image spoke for a class, (n, height, width) from 0 to 1; None if the network cannot say.

        images: as for `predict`. classes: (n,), one for each.
        """

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all that training changes: weights, statistics, random states, the optimiser's variables."""

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state of the same network."""

    def save(self, folder: Path) -> Path:
        """Write what `predict` needs into one file in `folder`, which `models.load` reads; returns its path."""

    def as_keras_model(self) -> "keras.Model":
        """What `predict` computes, in float32 and of Keras's own layers alone.

        From float32 pixels (n, size, size, 3) on the scale 0 to 255 to probabilities (n, classes).
        """


class Head(Protocol):
    """The last layer of a network, with the dropout before it: a classifier of what the body makes of images.

    Its weights and its optimiser are those of the network: what one of them learns, the other has learnt.
    body_digest: what the body is known by, weights and all.
    """

    body_digest: str

    def features(self, images: np.ndarray) -> np.ndarray:
        """What the body makes of images, as it predicts. (n, size, size, 3) uint8 -> (n, features) float32."""

    def fit_epoch(self, batches: Iterable[Batch], learning_rates: Sequence[float]) -> EpochFit:
        """As that of a network, on batches of features in place of images."""

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Take features (n, features) float32 to probabilities (n, classes) float32, rows sum to 1."""


def predict_prepared(network: Network, images: Images, preprocessing: Preprocessing) -> np.ndarray:
    """Take prepared images (n, prepared_size, prepared_size, 3) uint8 to probabilities (n, classes) float32."""
    return np.concatenate([network.predict(part) for part in preprocessing.seen(images)])
