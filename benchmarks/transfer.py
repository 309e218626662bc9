"""What weights from a training of other classes bring where images are few.

    python -m benchmarks.transfer --data FOLDER --output FOLDER

Trains a class of keras.applications on the first half of the classes, then on a few images of each of the others, once
from scratch and once with `weights` of that first training. FOLDER has train.txt, val.txt and test.txt, and a
classes.txt. Each training is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import dataclasses
import statistics
from pathlib import Path

from benchmarks.shared import part, prepared, train_config, trained_part
from benchmarks.side_by_side import best_val_accuracy, train_side_by_side
from pipeline import models
from pipeline.config import Values
from pipeline.training.fit import fit
from pipeline.training.network_spec import network_spec

SEEDS = (0, 1, 2)


def main() -> None:
    """Train what is missing, and print what each start came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with lists")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--first_epochs", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=40, help="training images of each class of the second half")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    half = len((arguments.data / "classes.txt").read_text(encoding="utf-8").splitlines()) // 2
    write_classes(arguments.data, output / "first", range(half))
    write_classes(arguments.data, output / "second", range(half, 2 * half), arguments.images)
    first = {"data": str(output / "first"), "model": arguments.model, "epochs": arguments.first_epochs}
    result = part(output / "first.json", lambda: _first(first, output))
    seconds = sum(epoch["epoch_seconds"] for epoch in result["epochs"])
    print(f"first half: {best_val_accuracy(result):.1%} in {seconds:.0f} s")
    second = {"data": str(output / "second"), "model": arguments.model, "epochs": arguments.epochs}
    for name, weights in {"from scratch": "none", "weights of the first half": str(output / "network.keras")}.items():
        paths = {seed: output / f"{name.replace(' ', '-')}-{seed}.json" for seed in SEEDS}
        results = train_side_by_side(
            {path: second | {"weights": weights, "seed": seed} for seed, path in paths.items()}
        )
        best = [best_val_accuracy(result) for result in results]
        print(f"second half, {name}: {', '.join(f'{each:.1%}' for each in best)}, mean {statistics.mean(best):.1%}")


def write_classes(source: Path, folder: Path, labels: range, images: int | None = None) -> None:
    """A folder of lists for these classes of `source`, labelled from 0, with the first `images` of each to train on."""
    folder.mkdir(parents=True, exist_ok=True)
    names = (source / "classes.txt").read_text(encoding="utf-8").splitlines()
    (folder / "classes.txt").write_text("".join(f"{names[label]}\n" for label in labels), encoding="utf-8")
    for split in ("train", "val", "test"):
        by_label: dict[int, list[str]] = {label: [] for label in labels}
        for line in (source / f"{split}.txt").read_text(encoding="utf-8").splitlines():
            path, label = line.rsplit(" ", 1)
            by_label.get(int(label), []).append(path)
        most = images if split == "train" else None
        kept = [f"{path} {label - labels[0]}\n" for label, paths in by_label.items() for path in paths[:most]]
        (folder / f"{split}.txt").write_text("".join(kept), encoding="utf-8")
    if not (folder / "images").exists():
        (folder / "images").symlink_to((source / "images").absolute())


def _first(typed: Values, output: Path) -> dict:
    config = train_config(typed)
    data = prepared(config)
    network = models.build(config.model, network_spec(config, data))
    epochs = fit(network, data, config).epochs
    network.save(output)
    return trained_part(config, data, [dataclasses.asdict(epoch) for epoch in epochs])


if __name__ == "__main__":
    main()
