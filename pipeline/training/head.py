"""The epochs that train the last layer alone, on features that are computed once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.config import TrainConfig
from pipeline.data.batches import Batch, training_batches
from pipeline.data.picked import Images
from pipeline.data.prepared import Prepared
from pipeline.models.networks.contract import Head, Network
from pipeline.training.features import features_of
from pipeline.training.network_spec import augmentation_of, class_weights_of, image_sizes, targets_of


@dataclass(frozen=True)
class HeadTraining:
    """head: what learns. train, val: (n, features) of each split. mirrored: of the mirrored training images, which are
    those of `train` where none is mirrored. labels: (n,) of the training images.
    """

    head: Head
    train: Images
    mirrored: Images
    val: np.ndarray
    labels: np.ndarray


def head_epochs(config: TrainConfig, epochs: int) -> int:
    """How many of so many epochs, the first ones, train the last layer alone."""
    if config.weights == "none":
        return 0
    return min(config.head_epochs, epochs) if config.trained_body else epochs


def open_head(network: Network, data: Prepared, config: TrainConfig) -> HeadTraining:
    """What these epochs train, on what. Features that are not kept from before are computed."""
    head, size = network.head(), image_sizes(config, data.facts).seen
    train = features_of(data, "train", head, size, config.workdir)
    mirrored = train
    if augmentation_of(config, data.facts).mirrors:
        mirrored = features_of(data, "train", head, size, config.workdir, is_mirrored=True)
    val = features_of(data, "val", head, size, config.workdir)[:]
    return HeadTraining(head, train, mirrored, val, data["train"].labels)


def head_batches(
    training: HeadTraining, data: Prepared, config: TrainConfig, epoch: int, order: np.ndarray
) -> Iterator[Batch]:
    """The batches of features of an epoch. order: their numbers."""
    is_mirrored = augmentation_of(config, data.facts).mirrored(len(training.labels), config.seed, epoch)
    return training_batches(
        training.train,
        training.labels,
        order,
        lambda features, index: training.mirrored[index] if is_mirrored[index] else features,
        config.batch_size,
        targets_of(config, data.facts),
        class_weights_of(config, data.facts),
    )
