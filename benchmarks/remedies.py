"""What the reference report tried against its ceiling, and what it did not try, alone on top of its recipe.

    python -m benchmarks.remedies --data FOLDER --output FOLDER

Each training is of the preset `reference`, for fewer epochs and of smaller images, with the options that its name
says. It is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import itertools
from pathlib import Path

from benchmarks.side_by_side import best_val_accuracy, train_side_by_side
from pipeline.config import Values

# The smallest images that leave pixels for the reference network's last layer, and for that of ten convolutions.
SMALL, LARGER = 104, 168

REMEDIES: dict[str, Values] = {
    "the report's recipe": {},
    "a third of the learning rate": {"learning_rate": 3e-4},
    "a tenth of the learning rate": {"learning_rate": 1e-4},
    "six convolutions of eight": {"depth": 6},
    "four convolutions of eight": {"depth": 4},
    "no dropout": {"dropout": 0},
    "no dropout, a third of the learning rate": {"dropout": 0, "learning_rate": 3e-4},
    "no dropout, twice the width": {"dropout": 0, "width": 12},
    "no dropout, four times the width": {"dropout": 0, "width": 24},
    "twice the width": {"width": 12},
    "batches of 64": {"batch_size": 64},
    "larger images": {"image_size": LARGER},
    "larger images, ten convolutions": {"image_size": LARGER, "depth": 10},
    "larger images, ten convolutions, no dropout": {"image_size": LARGER, "depth": 10, "dropout": 0},
}


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--remedies", nargs="+", choices=REMEDIES, default=list(REMEDIES), metavar="REMEDY")
    arguments = parser.parse_args()
    base = {"data": arguments.data, "preset": "reference", "image_size": SMALL, "epochs": arguments.epochs}
    wanted = list(itertools.product(arguments.seeds, arguments.remedies))
    paths = [arguments.output / f"{name.replace(',', '').replace(' ', '-')}-{seed}.json" for seed, name in wanted]
    results = train_side_by_side(
        {path: base | REMEDIES[name] | {"seed": seed} for path, (seed, name) in zip(paths, wanted, strict=True)}
    )
    print("| remedy | seed | accuracy in training | validation, its highest |\n|---|---|---|---|")
    for result, (seed, name) in zip(results, wanted, strict=True):
        epochs = result["epochs"]
        reached = f"{epochs[-1]['train_accuracy']:.1%} | {best_val_accuracy(result):.1%}" if epochs else "diverged |"
        print(f"| {name} | {seed} | {reached} |")


if __name__ == "__main__":
    main()
