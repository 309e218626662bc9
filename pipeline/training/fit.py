"""The training loop. It asks no network what kind it is, and knows nothing of tracking."""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.config import TrainConfig
from pipeline.data.batches import Batch, epoch_order, prefetched, training_batches
from pipeline.data.mixing import cutmix
from pipeline.data.prepared import DatasetFacts, Prepared, Split
from pipeline.data.preprocessing import ImageSizes
from pipeline.errors import UserError, first_line, shown
from pipeline.metrics import accuracy, balanced_accuracy, cross_entropy
from pipeline.models.networks.contract import EpochFit, Head, Network, predict_prepared
from pipeline.training.checkpoints import Checkpoint
from pipeline.training.head import head_batches, head_epochs, open_head
from pipeline.training.network_spec import (
    augmentation_of,
    class_weights_of,
    image_sizes,
    preprocessing_of,
    targets_of,
)
from pipeline.training.objective import best_of, last_gain, merit, metric_of
from pipeline.training.schedule import learning_rates, sizes_by_epoch


class DivergedError(UserError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class EpochResult:
    """One epoch, counted from 1. Accuracies are fractions.

    learning_rate: of the last step. epoch_seconds: of the training steps; validation (val_seconds) and compiling apart.
    time: when it ended, in milliseconds since 1970. test_accuracy: only if the test split was asked to be spent.
    val_balanced_accuracy: not a number in a history that is older than it.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    epoch_seconds: float
    images_per_second: float
    val_seconds: float
    compile_seconds: float
    time: int
    test_accuracy: float | None = None
    val_balanced_accuracy: float = math.nan

    def metrics(self) -> dict[str, float]:
        """What is logged of it, by metric name."""
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy", "learning_rate")
        logged = {name: getattr(self, name) for name in (*names, "epoch_seconds", "images_per_second")}
        return logged if self.test_accuracy is None else logged | {"test_accuracy": self.test_accuracy}


@dataclass(frozen=True)
class Interrupted:
    """A training as far as it came: its epochs, and the checkpoint after the last of them."""

    epochs: list[EpochResult]
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Callbacks:
    """Who hears of a training while it goes on.

    on_epoch: of each epoch when it is over. on_step: of each step. on_checkpoint: gets, after each epoch, what it takes
    to go on from there.
    """

    on_epoch: Callable[[EpochResult], None] = lambda result: None
    on_step: Callable[[], None] = lambda: None
    on_checkpoint: Callable[[Checkpoint], None] | None = None


@dataclass(frozen=True)
class FitResult:
    """epochs: those that were trained. metric: what they are judged by. best: the best of them.

    step_losses: (steps,) the loss of each batch before its step, over all epochs. val_probabilities: (n, classes), the
    answers to the validation images after the best epoch; None if that was trained before an interruption.
    """

    epochs: list[EpochResult]
    metric: str
    best: EpochResult
    step_losses: np.ndarray
    val_probabilities: np.ndarray | None


def fit(
    network: Network,
    data: Prepared,
    config: TrainConfig,
    callbacks: Callbacks = Callbacks(),
    before: Interrupted | None = None,
) -> FitResult:
    """Train `network` on the train split of `data`, and leave it as it was after its best epoch.

    before: what was trained already: it is not repeated, and nothing hears of it again.
    Raises DivergedError if the loss stops being finite, UserError if the network cannot take images as small as asked.
    """
    epochs = fit_by_epoch(network, data, config, callbacks, before)
    while True:
        try:
            next(epochs)
        except StopIteration as end:
            return end.value


def fit_by_epoch(
    network: Network,
    data: Prepared,
    config: TrainConfig,
    callbacks: Callbacks = Callbacks(),
    before: Interrupted | None = None,
) -> Generator[EpochResult, None, FitResult]:
    """The same, one epoch each time that the next one is asked for."""
    preprocessing = preprocessing_of(config, data.facts)
    sizes = training_sizes(network, image_sizes(config, data.facts), config, config.epochs)
    train, val = data["train"], data["val"]
    spent_test = data["test"] if config.test_each_epoch else None
    steps = steps_per_epoch(len(train.labels), config.batch_size)
    alone = head_epochs(config, config.epochs)
    rates = _rates(config, steps, alone)
    epochs: list[EpochResult] = []
    step_losses: list[np.ndarray] = []
    metric = metric_of(config, data.facts)
    best, best_state, best_probabilities = None, None, None
    if before:
        epochs = list(before.epochs)
        step_losses = [before.checkpoint.step_losses]
        best, best_state = best_of(epochs, metric), before.checkpoint.best_state
        _load(network, before.checkpoint)
    head = open_head(network, data, config) if len(epochs) < alone else None
    for epoch in range(len(epochs) + 1, config.epochs + 1):
        if is_out_of_patience(epochs, metric, config):
            break
        order = epoch_order(len(train.labels), config.seed, epoch)
        epoch_rates = rates[(epoch - 1) * steps : epoch * steps]
        if head and epoch <= alone:
            counted = _counted(head_batches(head, data, config, epoch, order), callbacks.on_step)
            fitted = _fitted(head.head, counted, epoch_rates)
            answers = functools.partial(head.head.predict, head.val)
        else:
            _begin_body(network, config, is_first=epoch == alone + 1)
            batches = epoch_batches(train, data.facts, config, epoch, sizes[epoch - 1], order)
            fitted = _fitted(network, _counted(batches, callbacks.on_step), epoch_rates)
            answers = functools.partial(predict_prepared, network, val.images, preprocessing)
        result, probabilities = _validated(fitted, answers, val.labels, float(epoch_rates[-1]), epoch)
        losses = fitted.epoch.losses
        if spent_test:
            test_accuracy = accuracy(spent_test.labels, predict_prepared(network, spent_test.images, preprocessing))
            result = dataclasses.replace(result, test_accuracy=test_accuracy)
        epochs.append(result)
        step_losses.append(losses)
        _check_finite(result, losses, config)
        callbacks.on_epoch(result)
        is_best = best is None or merit(result, metric) > merit(best, metric)
        state = network.state() if is_best or callbacks.on_checkpoint else {}
        if is_best:
            best, best_state, best_probabilities = result, state, probabilities
        if callbacks.on_checkpoint and best_state:
            callbacks.on_checkpoint(Checkpoint(epoch, state, best_state, np.concatenate(step_losses)))
        yield result
    assert best is not None and best_state is not None
    network.load_state(best_state)
    return FitResult(epochs, metric, best, np.concatenate(step_losses), best_probabilities)


def _load(network: Network, checkpoint: Checkpoint) -> None:
    """Go on from a checkpoint. Raises UserError if it is of another network: one of an earlier version, say."""
    try:
        network.load_state(checkpoint.state)
    except (KeyError, ValueError) as error:
        raise UserError(
            f"the checkpoint after epoch {checkpoint.epoch} is of another network than this version builds "
            f"({shown(first_line(error))}); --resume never begins anew"
        ) from error


def training_sizes(network: Network, sizes: ImageSizes, config: TrainConfig, epochs: int) -> list[int]:
    """The side of the training images in each of so many epochs, sizes.seen at last.

    Raises UserError if the network cannot take images as small as asked.
    """
    by_epoch = sizes_by_epoch(sizes.first, sizes.seen, epochs)
    for size in sorted(set(by_epoch) - {sizes.seen}):
        if not network.takes(size):
            raise UserError(
                f"--initial_scale {config.initial_scale:g}: {config.model} built for {sizes.seen} pixels cannot take "
                f"{size}"
            )
    return by_epoch


def steps_per_epoch(images: int, batch_size: int) -> int:
    """The number of batches that `images` images make, the last one perhaps smaller."""
    return -(-images // batch_size)


def _rates(config: TrainConfig, steps: int, alone: int) -> np.ndarray:
    """The learning rate of each step. alone: epochs of the last layer alone, which have a schedule of their own."""
    parts = ((alone, config.head_learning_rate or config.learning_rate), (config.epochs - alone, config.learning_rate))
    return np.concatenate(
        [learning_rates(config.schedule, peak, config.warmup, steps * epochs) for epochs, peak in parts]
    )


def _begin_body(network: Network, config: TrainConfig, is_first: bool) -> None:
    """Have the network learn as far as the options say, where it begins with weights of another training."""
    if config.weights != "none":
        network.train_body(config.trained_body)
        if is_first:
            # It has counted steps of the last layer alone, so that the first ones of the body would be far too large.
            network.forget_steps()


@dataclass(frozen=True)
class _Fitted:
    """An epoch, and the seconds that its steps took."""

    epoch: EpochFit
    seconds: float


def _fitted(learner: Network | Head, batches: Iterator[Batch], rates: np.ndarray) -> _Fitted:
    start = time.perf_counter()
    fitted = learner.fit_epoch(batches, rates.tolist())
    return _Fitted(fitted, max(time.perf_counter() - start - fitted.compile_seconds, 1e-9))


def _validated(
    fitted: _Fitted, answers: Callable[[], np.ndarray], labels: np.ndarray, learning_rate: float, epoch: int
) -> tuple[EpochResult, np.ndarray]:
    """The result of an epoch, and the answers to the validation images, whose labels these are."""
    validating = time.perf_counter()
    # A network that has diverged is recognised by its loss; NumPy's warnings on the way say less.
    with np.errstate(over="ignore", invalid="ignore"):
        probabilities = answers()
    val_seconds = time.perf_counter() - validating
    result = EpochResult(
        epoch=epoch,
        train_loss=float(fitted.epoch.losses.mean()),
        train_accuracy=fitted.epoch.accuracy,
        val_loss=cross_entropy(labels, probabilities),
        val_accuracy=accuracy(labels, probabilities),
        val_balanced_accuracy=balanced_accuracy(labels, probabilities),
        learning_rate=learning_rate,
        epoch_seconds=fitted.seconds,
        images_per_second=fitted.epoch.images / fitted.seconds,
        val_seconds=val_seconds,
        compile_seconds=fitted.epoch.compile_seconds,
        time=time.time_ns() // 1_000_000,
    )
    return result, probabilities


def is_out_of_patience(epochs: list[EpochResult], metric: str, config: TrainConfig) -> bool:
    """Whether a training that has come so far is to stop early: not before the body has had its chance."""
    if not epochs or not config.patience:
        return False
    before = head_epochs(config, config.epochs) if config.trained_body else 0
    return len(epochs) - max(last_gain(epochs, metric), before) >= config.patience


def _check_finite(result: EpochResult, losses: np.ndarray, config: TrainConfig) -> None:
    """Raise DivergedError if a loss of the epoch is infinite or no number."""
    # The last step of an epoch may break a network whose losses so far were finite: validation shows it.
    diverged = (
        "training" if not np.isfinite(losses).all() else "validation" if not np.isfinite(result.val_loss) else None
    )
    if diverged:
        raise DivergedError(
            f"the {diverged} loss is no longer finite in epoch {result.epoch}: the training has diverged. A smaller "
            f"--learning_rate than {config.learning_rate:g} or a longer --warmup may help"
        )


def epoch_batches(
    train: Split, facts: DatasetFacts, config: TrainConfig, epoch: int, size: int, order: np.ndarray
) -> Iterator[Batch]:
    """The batches of an epoch, made ahead by a thread. size: the side of the images. order: their numbers."""
    count, augmentation = len(train.labels), augmentation_of(config, facts)
    batches = training_batches(
        train.images,
        train.labels,
        order,
        augmentation.for_epoch(count, facts.image_size, size, config.seed, epoch),
        config.batch_size,
        targets_of(config, facts),
        class_weights_of(config, facts),
        cutmix(config.cutmix, count, config.seed, epoch),
    )
    return prefetched(batches)


def _counted(batches: Iterator[Batch], on_step: Callable[[], None]) -> Iterator[Batch]:
    """The same batches; `on_step` hears when the next one is asked for, that is when a step is done."""
    for batch in batches:
        yield batch
        on_step()
