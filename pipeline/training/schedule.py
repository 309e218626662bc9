"""The learning rate of every step."""

import numpy as np


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
