"""What a person sees while a network trains: a bar in a terminal, and one line an epoch everywhere."""

import time
from collections.abc import Sequence

from tqdm import tqdm

from pipeline.training.fit import EpochResult


class TrainingProgress:
    """Shows `epochs` epochs of `steps` steps each, of which those in `before` are done."""

    def __init__(self, epochs: int, steps: int, before: Sequence[EpochResult] = ()):
        self._epochs = epochs
        self._before = len(before)
        self._best = max((epoch.val_accuracy for epoch in before), default=0.0)
        self._started = time.monotonic()
        # disable=None: no bar where stderr is no terminal; the lines below are enough for a log file.
        self._bar = tqdm(
            total=epochs * steps,
            initial=len(before) * steps,
            desc="train",
            unit="step",
            disable=None,
            dynamic_ncols=True,
            smoothing=0.05,
        )

    def step(self) -> None:
        """One step is done."""
        self._bar.update()

    def epoch(self, result: EpochResult) -> None:
        """One epoch is done."""
        is_best = result.val_accuracy > self._best
        self._best = max(self._best, result.val_accuracy)
        elapsed = time.monotonic() - self._started
        left = elapsed / (result.epoch - self._before) * (self._epochs - result.epoch)
        self._bar.set_postfix_str(f"best {self._best:.1%}", refresh=False)
        self._bar.write(
            f"epoch {result.epoch:>{len(str(self._epochs))}}/{self._epochs}"
            f"  train_loss {result.train_loss:.3f}  train_accuracy {result.train_accuracy:6.1%}"
            f"  val_loss {result.val_loss:.3f}  val_accuracy {result.val_accuracy:6.1%}{'*' if is_best else ' '}"
            f"  {result.images_per_second:6,.0f} images/s  {clock(left)} left"
        )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


def clock(seconds: float) -> str:
    """A duration as minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
