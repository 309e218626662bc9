"""What makes one epoch, trial or model better than another."""

from typing import TYPE_CHECKING

from pipeline.config import TrainConfig
from pipeline.data.prepared import DatasetFacts

if TYPE_CHECKING:
    from pipeline.training.fit import EpochResult

METRICS = {"accuracy": "val_accuracy", "balanced_accuracy": "val_balanced_accuracy", "loss": "val_loss"}
# The largest class has so many times the training images of the smallest one: accuracy then rewards naming the largest.
UNEVEN = 2


def objective_of(config: TrainConfig, facts: DatasetFacts) -> str:
    """What a training goes by: one of METRICS' keys; `auto` depends on how even the classes are."""
    if config.objective != "auto":
        return config.objective
    return "balanced_accuracy" if is_uneven(facts.counts["train"]) else "accuracy"


def metric_of(config: TrainConfig, facts: DatasetFacts) -> str:
    """The metric that a training is judged by: one of METRICS' values."""
    return METRICS[objective_of(config, facts)]


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value of a metric is the better one."""
    return metric == METRICS["loss"]


def in_words(value: float, metric: str) -> str:
    """A value of a metric: an accuracy in per cent, a loss with three digits."""
    return f"{value:.3f}" if lower_is_better(metric) else f"{value:.1%}"


def is_uneven(counts: list[int]) -> bool:
    """Whether classes with so many training images each are uneven."""
    return max(counts) >= UNEVEN * min(counts)


def merit(result: "EpochResult", metric: str) -> tuple[float, float]:
    """How good an epoch is by a metric: the higher, the better. Equals are told apart by val_loss."""
    value = getattr(result, metric)
    return (-value if lower_is_better(metric) else value), -result.val_loss


def last_gain(epochs: "list[EpochResult]", metric: str) -> int:
    """The epoch that first reached the best value of a metric, however often that came back."""
    return max(epochs, key=lambda epoch: (merit(epoch, metric)[0], -epoch.epoch)).epoch


def best_of(epochs: "list[EpochResult]", metric: str) -> "EpochResult":
    """The best of the epochs by a metric; of equals the first."""
    return max(epochs, key=lambda epoch: (*merit(epoch, metric), -epoch.epoch))
