"""How long an export takes for one image on one core."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from pipeline import process
from pipeline.export.formats import format_named

WARM_UP = 5
CALLS = 300
SECONDS = 2.0
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}


def latency_ms(name: str, path: Path, image: np.ndarray) -> float:
    """The median time, in milliseconds, in which an export of the format `name` answers to one image.

    image: (size, size, 3) uint8. It is run in a process of its own, which has one core and one thread.
    """
    # Spawned, not forked: a fork of a process whose libraries run threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=process.exit_with_parent) as executor:
        return executor.submit(_median_ms, name, path, image[None]).result()


def _median_ms(name: str, path: Path, images: np.ndarray) -> float:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, process.usable_cores()[:1])
    os.environ.update(ONE_THREAD)
    answer = format_named(name).load(path, threads=1)
    for _ in range(WARM_UP):
        answer(images)
    taken: list[float] = []
    while len(taken) < CALLS and sum(taken) < SECONDS:
        start = time.perf_counter()
        answer(images)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1000
