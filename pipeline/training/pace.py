"""How many epochs fit into a time: from a few real steps and a validation, measured before the training."""

import bisect
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.config import TrainConfig
from pipeline.data.batches import epoch_order
from pipeline.data.picked import Images
from pipeline.data.prepared import Prepared
from pipeline.models.networks.contract import Network, predict_prepared
from pipeline.training.fit import epoch_batches, steps_per_epoch, training_sizes
from pipeline.training.head import head_batches, head_epochs, open_head
from pipeline.training.network_spec import image_sizes, preprocessing_of
from pipeline.training.schedule import sizes_by_epoch

# Steps of each image size are measured for so long, or for an epoch if that is shorter.
MEASURED_SECONDS = 1.0
FEWEST_STEPS = 4
MOST_EPOCHS = 100_000
# So many epochs meet every size that images grow through.
ALL_SIZES = 1000

# Takes a step on each batch of these images, by their numbers.
Fit = Callable[[np.ndarray], None]


@dataclass(frozen=True)
class Pace:
    """What an epoch takes, in seconds.

    by_size: side of the training images -> the training steps of an epoch on images of that side. between: the
    validation, and copying the network's state. compiling: what building the graphs has taken; they are built by now.
    alone: all of an epoch that trains the last layer alone.
    """

    by_size: dict[int, float]
    between: float
    compiling: float
    alone: float = 0.0


def measure(network: Network, data: Prepared, config: TrainConfig) -> Pace:
    """Measure the pace of a training with some of its steps; the network is left as it was.

    Features that it will need and that are not kept from before are computed now, and count as what is gone already.
    Raises UserError if the network cannot take images as small as asked.
    """
    state, train, val = network.state(), data["train"], data["val"]
    sizes = training_sizes(network, image_sizes(config, data.facts), config, ALL_SIZES)

    def predict(images: Images) -> None:
        predict_prepared(network, images, preprocessing_of(config, data.facts))

    def fit(size: int, order: np.ndarray) -> None:
        batches = epoch_batches(train, data.facts, config, 1, size, order)
        network.fit_epoch(batches, [0.0] * steps_per_epoch(len(order), config.batch_size))

    order = epoch_order(len(train.labels), config.seed, 1)
    alone = _seconds_alone(network, data, config, order) if head_epochs(config, 1) else 0.0
    if config.weights != "none":
        network.train_body(config.trained_body)
    began = time.perf_counter()
    predict(val.images[:1])
    for size in sorted(set(sizes)):
        _build_graphs(functools.partial(fit, size), order, config.batch_size)
    compiling = time.perf_counter() - began
    by_size = {size: _epoch_seconds(functools.partial(fit, size), order, config.batch_size) for size in set(sizes)}
    between = _seconds(lambda: predict(val.images)) + _seconds(network.state)
    network.load_state(state)
    return Pace(by_size, between, compiling, alone)


def epochs_within(seconds: float, pace: Pace, data: Prepared, config: TrainConfig) -> int:
    """The most epochs that take at most so many seconds; 0 if not even one does."""
    return (
        bisect.bisect_right(
            range(MOST_EPOCHS), seconds, lo=1, key=lambda epochs: training_seconds(epochs, pace, data, config)
        )
        - 1
    )


def training_seconds(epochs: int, pace: Pace, data: Prepared, config: TrainConfig) -> float:
    """What so many epochs take: the early ones less, where the images grow or the last layer learns alone."""
    sizes = image_sizes(config, data.facts)
    alone = head_epochs(config, epochs)
    of_body = sizes_by_epoch(sizes.first, sizes.seen, epochs)[alone:]
    return alone * pace.alone + sum(pace.by_size[size] + pace.between for size in of_body)


def _seconds_alone(network: Network, data: Prepared, config: TrainConfig, order: np.ndarray) -> float:
    """An epoch of the last layer alone, its validation and copying the network's state."""
    training = open_head(network, data, config)

    def epoch() -> None:
        batches = head_batches(training, data, config, 1, order)
        training.head.fit_epoch(batches, [0.0] * steps_per_epoch(len(order), config.batch_size))
        training.head.predict(training.val)
        network.state()

    epoch()  # which builds the graphs
    return _seconds(epoch)


def _build_graphs(fit: Fit, order: np.ndarray, batch_size: int) -> None:
    """Take a step on a whole batch, and one on the smaller batch at the end of an epoch."""
    fit(order[:batch_size])
    if (rest := len(order) % batch_size) and rest < len(order):
        fit(order[:rest])


def _epoch_seconds(fit: Fit, order: np.ndarray, batch_size: int) -> float:
    """The steps of an epoch: all of them where they are few, else as many as there is time for."""
    images = min(len(order), FEWEST_STEPS * batch_size)
    seconds = _seconds(lambda: fit(order[:images]))
    if images < len(order) and seconds < MEASURED_SECONDS:
        images = min(len(order), int(images * MEASURED_SECONDS / seconds) // batch_size * batch_size)
        seconds = _seconds(lambda: fit(order[:images]))
    return seconds * len(order) / images


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
