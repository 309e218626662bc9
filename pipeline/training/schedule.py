"""The learning rate of every step, and the size of the images of every epoch."""

import numpy as np

# The last fifth of the epochs sees images of the full size (as MosaicML's Composer has it).
GROWING = 0.8
# Networks halve their maps a few times: sizes in between would only be padded.
SIZE_STEP = 16


def learning_rates(schedule: str, peak: float, warmup: float, steps: int) -> np.ndarray:
    """The learning rate of each of `steps` steps, (steps,).

    It rises in a line over the first `warmup` (a part of all steps) to `peak`; from there, schedule = constant keeps
    it, linear and cosine bring it down to zero, which the step after the last one would have.
    """
    step = np.arange(steps, dtype=np.float64)
    warmup_steps = round(warmup * steps)
    rising = (step + 1) / max(warmup_steps, 1)
    progress = (step - warmup_steps) / max(steps - warmup_steps, 1)
    falling = {
        "constant": np.ones(steps),
        "linear": 1 - progress,
        "cosine": (1 + np.cos(np.pi * progress)) / 2,
    }[schedule]
    return peak * np.where(step < warmup_steps, rising, falling)


def scaled_size(scale: float, size: int) -> int:
    """A part of a side, in whole pixels."""
    return max(1, round(scale * size))


def sizes_by_epoch(first: int, seen: int, epochs: int) -> list[int]:
    """The side in pixels of the training images in each epoch.

    It grows from `first` to `seen` in a line, in steps of SIZE_STEP, over the first GROWING of the epochs; a `first`
    above `seen` is `seen`.
    """
    first = min(first, seen)
    growing = int(GROWING * epochs)
    grown = (seen - first) * np.arange(epochs) / max(growing, 1)
    sizes = first + (grown // SIZE_STEP * SIZE_STEP).astype(int)
    return np.where(np.arange(epochs) < growing, sizes, seen).tolist()
