"""Batches of training images: shuffled, augmented, and made while the network computes."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

from pipeline.data.augmentation import Augment
from pipeline.data.picked import Images

Item = TypeVar("Item")

PREFETCHED_BATCHES = 3


class Batch(NamedTuple):
    """images: (n, size, size, 3) uint8. targets: (n, classes) float32, rows sum to 1. weights: (n,) float32."""

    images: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


# What mixes the images of a batch, given their numbers among the training images, (n,).
Mix = Callable[[Batch, np.ndarray], Batch]


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of `count` images in an epoch: a permutation that depends on nothing but its arguments."""
    return np.random.default_rng((seed, epoch, 0)).permutation(count)


def balanced_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """The weight of each class, (classes,), that gives all classes as much say; their mean over the images is 1."""
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)


def smoothed_targets(classes: int, label_smoothing: float) -> np.ndarray:
    """The target of each label, (classes, classes): 1 for itself, less what is spread evenly over all classes."""
    return (np.eye(classes) * (1 - label_smoothing) + label_smoothing / classes).astype(np.float32)


def training_batches(
    images: Images,
    labels: np.ndarray,
    order: np.ndarray,
    augment: Augment,
    batch_size: int,
    targets: np.ndarray,
    class_weights: np.ndarray,
    mix: Mix = lambda batch, indices: batch,
) -> Iterator[Batch]:
    """Batches in the given order; the last one may be smaller.

    targets: (classes, classes), the target of each label. class_weights: (classes,).
    """
    for start in range(0, len(order), batch_size):
        # In ascending order within a batch, so that a memory map on a disk is read forwards.
        indices = np.sort(order[start : start + batch_size])
        augmented = np.stack([augment(images[index], int(index)) for index in indices])
        batch_labels = labels[indices]
        yield mix(Batch(augmented, targets[batch_labels], class_weights[batch_labels]), indices)


def prefetched(batches: Iterable[Item], depth: int = PREFETCHED_BATCHES) -> Iterator[Item]:
    """The same batches, made by a thread that is up to `depth` of them ahead.

    An exception in making one is raised here. The thread ends when the batches do, or this iterator is closed.
    """
    ready: queue.Queue = queue.Queue(depth)
    closed = threading.Event()

    def put(item: object) -> None:
        while not closed.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.1)
                break

    def produce() -> None:
        try:
            for batch in batches:
                put(batch)
                if closed.is_set():
                    return
            put(None)
        except BaseException as error:  # handed over, and raised where the batch was wanted
            put(error)

    threading.Thread(target=produce, daemon=True, name="batches").start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        closed.set()
