"""Train a grid over the core space once, every epoch kept, so that searches can be replayed over it.

    python -m benchmarks.search_grid --data FOLDER

leaves one JSON file a point in workdir/search_grid/ and, when all are there, benchmarks/search_grid.csv. It goes on
where it stopped. On two cores of 2026 it takes about an hour and a half.
"""

import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks.shared import prepared, provenance, train_config
from pipeline import config as options

LEARNING_RATES = (0.01, 0.025, 0.063, 0.16, 0.4, 1.0)
DROPOUTS = (0.0, 0.25, 0.5)
DEPTHS = (1, 2, 3)
# Small enough to train 54 of them: a quarter of the default model's pixels, half its channels.
FIXED = {"model": "resnet", "image_size": "32", "input_scale": "1", "width": "16", "epochs": "8", "seed": "0"}
TABLE = Path(__file__).with_name("search_grid.csv")


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--workdir", type=Path, default=options.DEFAULT_WORKDIR)
    arguments = parser.parse_args()
    folder = arguments.workdir.absolute() / "search_grid"
    folder.mkdir(parents=True, exist_ok=True)

    points = list(itertools.product(LEARNING_RATES, DROPOUTS, DEPTHS))
    missing = [point for point in points if not _path(folder, point).exists()]
    _train(missing, folder, arguments.data, arguments.workdir)
    rows = [row for point in points for row in _rows(_path(folder, point))]
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(f"{len(points)} points in {TABLE}")


def _path(folder: Path, point: tuple[float, float, int]) -> Path:
    learning_rate, dropout, depth = point
    return folder / f"learning_rate={learning_rate:g},dropout={dropout:g},depth={depth}.json"


def _train(points: list, folder: Path, data: str, workdir: Path) -> None:
    """One process a core: small networks use one core better than two."""
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    unused = context.Queue()
    for core in cores:
        unused.put(core)
    with concurrent.futures.ProcessPoolExecutor(len(cores), context, _pin, (unused,)) as pool:
        futures = [pool.submit(_train_point, point, _path(folder, point), data, workdir) for point in points]
        for future in tqdm(concurrent.futures.as_completed(futures), total=len(futures), unit="point"):
            future.result()


def _pin(unused: multiprocessing.Queue) -> None:
    os.sched_setaffinity(0, {unused.get()})


def _train_point(point: tuple[float, float, int], path: Path, data: str, workdir: Path) -> None:
    from pipeline import models
    from pipeline.errors import UserError
    from pipeline.tracked_training import network_spec
    from pipeline.training.fit import fit

    learning_rate, dropout, depth = point
    typed = FIXED | {"learning_rate": learning_rate, "dropout": dropout, "depth": depth}
    typed |= {"data": data, "workdir": str(workdir)}
    config = train_config(typed)
    dataset = prepared(config)
    network = models.build(config.model, network_spec(config, dataset))
    epochs = []
    started = time.time()
    try:
        fit(network, dataset, config, epochs.append)
    except UserError as error:  # diverged: what it had until then stands
        print(error, file=sys.stderr)
    result = {
        **provenance(),
        "started": started,
        "options": options.identity(config) | {"data": Path(config.data).name},
        "data_digest": dataset.facts.digest,
        "epochs": [
            {"epoch": each.epoch, "val_accuracy": each.val_accuracy, "epoch_seconds": each.epoch_seconds}
            for each in epochs
        ],
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1), encoding="utf-8")
    part.rename(path)


def _rows(path: Path) -> list[dict]:
    result = json.loads(path.read_text(encoding="utf-8"))
    point = {name: result["options"][name] for name in ("learning_rate", "dropout", "depth")}
    return [point | epoch for epoch in result["epochs"]]


if __name__ == "__main__":
    main()
