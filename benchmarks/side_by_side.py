"""Trainings whose time is not the question: one a core, each held to its own, each a part of a campaign."""

import concurrent.futures
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.shared import part, prepared, train_config, trained_part
from pipeline import config as options
from pipeline.config import PreprocessConfig


def train_side_by_side(trainings: dict[Path, dict[str, Any]]) -> list[dict]:
    """What is in the JSON files; those that are not there yet are trained: small networks use one core better than two.

    trainings: file -> what would be typed to `train`. A file holds provenance, started (seconds since 1970), options,
    data_digest and epochs (epoch, train_accuracy, val_accuracy, epoch_seconds), those until it diverged if it did.
    """
    missing = {path: typed for path, typed in trainings.items() if not path.exists()}
    # Once for all, so that no two processes prepare the same data.
    configs = [train_config(typed) for typed in missing.values()]
    for config in {
        str(options.identity(options.part(config, PreprocessConfig))): config for config in configs
    }.values():
        prepared(config)
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    unused = context.Queue()
    for core in cores:
        unused.put(core)
    with concurrent.futures.ProcessPoolExecutor(len(cores), context, _pin, (unused,)) as pool:
        futures = [pool.submit(_train_part, path, typed) for path, typed in missing.items()]
        for future in tqdm(concurrent.futures.as_completed(futures), total=len(futures), unit="training"):
            future.result()
    return [json.loads(path.read_text(encoding="utf-8")) for path in trainings]


def best_val_accuracy(result: dict) -> float:
    """The highest of the epochs of one of them; 0 if it diverged in its first."""
    return max((epoch["val_accuracy"] for epoch in result["epochs"]), default=0.0)


def _pin(unused: multiprocessing.Queue) -> None:
    os.sched_setaffinity(0, {unused.get()})


def _train_part(path: Path, typed: dict[str, Any]) -> None:
    part(path, lambda: _trained(typed))


def _trained(typed: dict[str, Any]) -> dict:
    from pipeline import models
    from pipeline.training.fit import Callbacks, DivergedError, fit
    from pipeline.training.network_spec import network_spec

    config = train_config(typed)
    data = prepared(config)
    network = models.build(config.model, network_spec(config, data))
    epochs = []
    started = time.time()
    try:
        fit(network, data, config, Callbacks(epochs.append))
    except DivergedError as error:  # what it had until then stands
        print(error, file=sys.stderr)
    kept = ("epoch", "train_accuracy", "val_accuracy", "epoch_seconds")
    results = [{name: getattr(epoch, name) for name in kept} for epoch in epochs]
    return trained_part(config, data, results) | {"started": started}
