"""What a network is built from, by the options and the data of a training."""

import numpy as np

from pipeline.config import TrainConfig
from pipeline.data.augmentation import Augmentation
from pipeline.data.batches import balanced_weights, smoothed_targets
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.data.preprocessing import ImageSizes, Preprocessing
from pipeline.data.scaling import all_scaled
from pipeline.models.networks.architecture import HYPERPARAMETERS
from pipeline.models.networks.contract import NetworkSpec
from pipeline.training.schedule import scaled_size

# Training images that a network may fit its first layers to: so many of 64 pixels a side, fewer where they are larger,
# since all are in memory at once.
SAMPLE = 2000
SAMPLE_PIXELS = SAMPLE * 64**2


def network_spec(config: TrainConfig, data: Prepared) -> NetworkSpec:
    """What the network is built from."""
    facts, images = data.facts, data["train"].images
    preprocessing = preprocessing_of(config, facts)
    sampled = max(1, min(SAMPLE, SAMPLE_PIXELS // facts.image_size**2))
    hyperparameters = {name: getattr(config, name) for name in HYPERPARAMETERS}
    return NetworkSpec(
        preprocessing=preprocessing,
        classes=len(facts.class_names),
        hyperparameters={name: value for name, value in hyperparameters.items() if value is not None},
        sample=all_scaled(images[:: -(-len(images) // sampled)], preprocessing.seen_size),
        weights=config.weights,
        devices=config.devices,
        optimizer=config.optimizer,
        weight_decay=config.weight_decay,
        precision=config.precision,
        seed=config.seed,
        deterministic=config.deterministic,
    )


# Images of 8 pixels become maps of one pixel within the default network. There oneDNN's convolutions in bfloat16 gave
# another result each time on a processor with matrix tiles, now and then none that is a number; from 10 pixels on the
# same one (TensorFlow 2.21).
SMALLEST_FIRST = 12


def image_sizes(config: TrainConfig, facts: DatasetFacts) -> ImageSizes:
    """The sides of the images of a training; they grow from 12 pixels at the least."""
    seen = scaled_size(config.input_scale, facts.image_size)
    first = max(scaled_size(config.initial_scale, facts.image_size), min(SMALLEST_FIRST, seen))
    return ImageSizes(prepared=facts.image_size, seen=seen, first=first)


def preprocessing_of(config: TrainConfig, facts: DatasetFacts) -> Preprocessing:
    """What happens to an image before the network's first layer."""
    sizes = image_sizes(config, facts)
    mean, deviation = pixel_statistics(facts, config.standardize)
    return Preprocessing(sizes.prepared, sizes.seen, facts.resize, mean, deviation)


def pixel_statistics(facts: DatasetFacts, standardize: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the training pixels, (3,) each: of each channel, or of all channels together (global)."""
    means, deviations = np.array(facts.channel_means), np.array(facts.channel_deviations)
    if standardize == "global":
        mean = means.mean()
        deviations = np.full(3, np.sqrt((deviations**2 + means**2).mean() - mean**2))
        means = np.full(3, mean)
    # A channel that never changes carries nothing; dividing by its deviation would only fail.
    return tuple(means.tolist()), tuple(np.where(deviations > 0, deviations, 1.0).tolist())


def is_mirrorable(config: TrainConfig, facts: DatasetFacts) -> bool:
    """Whether a mirrored image keeps its class: what the option mirror says, or the data if that leaves it to them."""
    return facts.mirrorable if config.mirror == "auto" else config.mirror == "yes"


def augmentation_of(config: TrainConfig, facts: DatasetFacts) -> Augmentation:
    """How training images are changed at random."""
    return Augmentation(config.augment, is_mirrorable(config, facts), config.min_crop_area, config.flips)


def targets_of(config: TrainConfig, facts: DatasetFacts) -> np.ndarray:
    """The target of each class, (classes, classes)."""
    return smoothed_targets(len(facts.class_names), config.label_smoothing)


def class_weights_of(config: TrainConfig, facts: DatasetFacts) -> np.ndarray:
    """What an image of each class counts in the loss, (classes,)."""
    counts = facts.counts["train"]
    if config.class_weight == "none":
        return np.ones(len(counts), "f4")
    return balanced_weights(np.repeat(np.arange(len(counts)), counts), len(counts))
