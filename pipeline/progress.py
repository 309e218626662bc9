"""What a person sees while a network trains: a bar in a terminal, and one line an epoch everywhere."""

import time
from collections.abc import Sequence

from pipeline.terminal import progress_bar
from pipeline.training.fit import EpochResult
from pipeline.training.objective import METRICS, best_of, merit


class TrainingProgress:
    """Shows `epochs` epochs of `steps` steps each, of which those in `before` are done. metric: they are judged by.

    lines: whether to print a line an epoch beside the bar.
    """

    def __init__(self, epochs: int, steps: int, metric: str, before: Sequence[EpochResult] = (), lines: bool = True):
        self._epochs = epochs
        self._before = len(before)
        self._lines = lines
        self._metric = metric
        self._best = best_of(list(before), metric) if before else None
        self._started = time.monotonic()
        self._bar = progress_bar(
            total=epochs * steps, initial=len(before) * steps, desc="train", unit="step", smoothing=0.05
        )

    def step(self) -> None:
        """One step is done."""
        self._bar.update()

    def epoch(self, result: EpochResult) -> None:
        """One epoch is done."""
        is_best = self._best is None or merit(result, self._metric) > merit(self._best, self._metric)
        self._best = best = result if is_best or not self._best else self._best
        balanced = f"  val_balanced_accuracy {result.val_balanced_accuracy:6.1%}" if self._shows_balanced() else ""
        elapsed = time.monotonic() - self._started
        left = elapsed / (result.epoch - self._before) * (self._epochs - result.epoch)
        self._bar.set_postfix_str(f"best {best.val_accuracy:.1%}", refresh=False)
        if not self._lines:
            return
        self._bar.write(
            f"epoch {result.epoch:>{len(str(self._epochs))}}/{self._epochs}"
            f"  train_loss {result.train_loss:.3f}  train_accuracy {result.train_accuracy:6.1%}"
            f"  val_loss {result.val_loss:.3f}  val_accuracy {result.val_accuracy:6.1%}{balanced}"
            f"{'*' if is_best else ' '}  {result.images_per_second:6,.0f} images/s  {clock(left)} left"
        )

    def _shows_balanced(self) -> bool:
        return self._metric == METRICS["balanced_accuracy"]

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


def clock(seconds: float) -> str:
    """A duration as minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
