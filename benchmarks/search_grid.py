"""Train a grid over the core space once, every epoch kept, so that searches can be replayed over it.

    python -m benchmarks.search_grid --data FOLDER

leaves one JSON file a point in workdir/search_grid/ and, when all are there, benchmarks/search_grid.csv. It goes on
where it stopped. On two cores of 2026 it takes about an hour and a half.
"""

import argparse
import itertools
from pathlib import Path

import pandas as pd

from benchmarks.side_by_side import train_side_by_side
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
    parser.add_argument("--workdir", type=Path, default=options.PROJECT_WORKDIR)
    arguments = parser.parse_args()
    folder = arguments.workdir.absolute() / "search_grid"
    base = FIXED | {"data": arguments.data, "workdir": str(arguments.workdir)}
    trainings = {}
    for learning_rate, dropout, depth in itertools.product(LEARNING_RATES, DROPOUTS, DEPTHS):
        path = folder / f"learning_rate={learning_rate:g},dropout={dropout:g},depth={depth}.json"
        trainings[path] = base | {"learning_rate": learning_rate, "dropout": dropout, "depth": depth}
    rows = [row for result in train_side_by_side(trainings) for row in _rows(result)]
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(f"{len(trainings)} points in {TABLE}")


def _rows(result: dict) -> list[dict]:
    point = {name: result["options"][name] for name in ("learning_rate", "dropout", "depth")}
    kept = ("epoch", "val_accuracy", "epoch_seconds")
    return [point | {name: epoch[name] for name in kept} for epoch in result["epochs"]]


if __name__ == "__main__":
    main()
