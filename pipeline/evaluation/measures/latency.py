"""How fast a model answers, and how large it is."""

import time

import numpy as np
import pandas as pd

from pipeline.evaluation.contract import Answers, Findings

COSTLY = True
AT_ONCE = (1, 8, 64)
CALLS = 30
# A slow network is asked less often.
SECONDS = 1.0


def measure(answers: Answers) -> Findings:
    """The time of an answer to prepared images, in this process on this machine, and the size of the network's file."""
    table = pd.DataFrame([_row(answers, count) for count in AT_ONCE])
    of_model = {"latency_ms": float(table["milliseconds"].iloc[0])}
    if answers.network_bytes is not None:
        of_model["network_mib"] = answers.network_bytes / 2**20
    return Findings(of_model=of_model, tables={"latency": table})


def _row(answers: Answers, count: int) -> dict:
    """The median and the 95th percentile of a call with so many images at once."""
    images = np.resize(answers.images[:count], (count, *answers.images.shape[1:]))
    answers.predict(images)  # the first one builds what all others use
    seconds: list[float] = []
    while len(seconds) < CALLS and sum(seconds) < SECONDS:
        start = time.perf_counter()
        answers.predict(images)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    return {
        "images_at_once": count,
        "calls": len(seconds),
        "milliseconds": 1000 * median,
        "milliseconds_p95": 1000 * float(np.quantile(seconds, 0.95)),
        "images_per_second": count / median,
    }
