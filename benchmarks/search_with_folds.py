"""Whether a search over few images finds a better configuration with folds than with one small validation split.

    python -m benchmarks.search_with_folds --data FOLDER --output FOLDER

FOLDER has train.txt and val.txt, as imagenet50 has. The images are 320 of its first ten classes: 280 to train on, 40 to
validate on, drawn anew by each seed. The 500 validation images of these classes, which no search sees, are the test
split: what a search finds is worth what its final training, with the seed of the pair, gets right of them. A pair is
the same search (model, space, trials, seed) without folds and with five. Each search is a part that leaves a JSON file
in the output folder; a part that is there is not repeated.
"""

import argparse
import functools
import random
import sys
from pathlib import Path

from mlflow.tracking import MlflowClient
from scipy.stats import binomtest

from benchmarks.in_folders import check, empty_folder, start, store_of
from benchmarks.shared import part, provenance
from benchmarks.transfer import write_classes

CLASSES, TRAIN_A_CLASS, VAL_A_CLASS = 10, 28, 4
FOLDS = (0, 5)
OPTIONS = {
    "model": "lenet5-numpy",
    "space": "wide",
    "trials": 12,
    "epochs": 20,
    "final_epochs": 20,
    "image_size": 32,
    "final_image_size": 32,
    "pruner": "none",
    "study": "folds",
}


def main() -> None:
    """Search what is missing, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with lists")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and the searches")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    pairs = []
    for seed in range(arguments.seeds):
        folder = output / f"images-{seed}"
        write_images(arguments.data, folder, seed)
        made = [functools.partial(_search, folder, output / f"{seed}-{folds}", seed, folds) for folds in FOLDS]
        pair = [
            part(output / f"{seed}-{folds}.json", make)["test_accuracy"]
            for folds, make in zip(FOLDS, made, strict=True)
        ]
        print(f"seed {seed}: {pair[0]:.1%} without folds, {pair[1]:.1%} with {FOLDS[1]}", flush=True)
        pairs.append(pair)
    better, worse = sum(b > a for a, b in pairs), sum(b < a for a, b in pairs)
    gain = sum(b - a for a, b in pairs) / len(pairs)
    print(
        f"better with folds: {better} of {len(pairs)}, worse: {worse}; {100 * gain:+.1f} points in the mean; ", end=""
    )
    print(f"sign test: p = {binomtest(better, better + worse).pvalue:.2f}" if better + worse else "all equal")


def write_images(source: Path, folder: Path, seed: int) -> None:
    """A folder of lists: some images of each class to train on and to validate on, and those of val as test."""
    write_classes(source, folder, range(CLASSES))
    by_label: dict[str, list[str]] = {}
    for line in (folder / "train.txt").read_text(encoding="utf-8").splitlines():
        by_label.setdefault(line.rsplit(" ", 1)[1], []).append(line)
    rng = random.Random(seed)
    drawn = [rng.sample(lines, TRAIN_A_CLASS + VAL_A_CLASS) for lines in by_label.values()]
    (folder / "val.txt").replace(folder / "test.txt")
    for name, of_class in (("train", slice(TRAIN_A_CLASS)), ("val", slice(TRAIN_A_CLASS, None))):
        lines = [f"{line}\n" for each in drawn for line in each[of_class]]
        (folder / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def _search(images: Path, folder: Path, seed: int, folds: int) -> dict:
    empty_folder(folder)
    options = OPTIONS | {"data": images, "seed": seed, "folds": folds}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "pipeline", "search", *words]
    check(start(command, folder).wait(), folder)
    (found,) = MlflowClient(store_of(folder)).search_runs(["0"], "tags.stage = 'search'")
    return {**provenance(command), "seed": seed, "folds": folds} | found.data.metrics


if __name__ == "__main__":
    main()
