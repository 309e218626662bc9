"""What the reference report tried against its ceiling, and what it did not try, alone on top of its recipe.

    python -m benchmarks.remedies --data FOLDER --output FOLDER

Each training is of the preset `reference`, for fewer epochs and of smaller images, with the options that its name
says. It is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import itertools
import re
from pathlib import Path

from benchmarks.side_by_side import best_val_accuracy, train_side_by_side
from pipeline.config import Values

# The smallest images that leave pixels for the last layer after ten convolutions; for the report's eight 104 do.
IMAGE_SIZE = 168

REMEDIES: dict[str, Values] = {
    "the report's recipe": {},
    "a third of the learning rate": {"learning_rate": 3e-4},
    "a tenth of the learning rate": {"learning_rate": 1e-4},
    "four convolutions": {"depth": 4},
    "six convolutions": {"depth": 6},
    "ten convolutions": {"depth": 10},
    "no dropout": {"dropout": 0},
    "ten convolutions, no dropout": {"depth": 10, "dropout": 0},
}


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--image_size", type=int, default=IMAGE_SIZE)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--remedies", nargs="+", choices=REMEDIES, default=list(REMEDIES), metavar="REMEDY")
    arguments = parser.parse_args()
    wanted = list(itertools.product(arguments.seeds, arguments.remedies))
    trainings = [typed_for(arguments, name, seed) for seed, name in wanted]
    results = train_side_by_side(
        {
            path_of_part(arguments.output, name, typed): typed
            for (seed, name), typed in zip(wanted, trainings, strict=True)
        }
    )
    print("| remedy | seed | accuracy in training | validation, its highest |\n|---|---|---|---|")
    for result, (seed, name) in zip(results, wanted, strict=True):
        epochs = result["epochs"]
        reached = f"{epochs[-1]['train_accuracy']:.1%} | {best_val_accuracy(result):.1%}" if epochs else "diverged |"
        print(f"| {name} | {seed} | {reached} |")


def typed_for(arguments: argparse.Namespace, remedy: str, seed: int) -> Values:
    """What would be typed to `train`. arguments: data, image_size and epochs."""
    asked = {"data": arguments.data, "image_size": arguments.image_size, "epochs": arguments.epochs, "seed": seed}
    return {"preset": "reference"} | asked | REMEDIES[remedy]


def path_of_part(output: Path, remedy: str, typed: Values) -> Path:
    """The JSON file of a training; its name says how large, how long and with which seed it was."""
    name = re.sub("[^a-z]+", "-", remedy)
    return output / f"{name}-{typed['image_size']}-pixels-{typed['epochs']}-epochs-seed-{typed['seed']}.json"


if __name__ == "__main__":
    main()
