"""What the default recipe makes of few images, of uneven classes and of wrong labels: before it followed their number,
and since.

    python -m benchmarks.few_images --data FOLDER --output FOLDER
    python -m benchmarks.few_images --data FOLDER --output FOLDER --counts 320 --kinds even --seeds 3 --recipes after

FOLDER has train.txt, val.txt and test.txt, and a classes.txt, as imagenet50 has. 100 and 320 training images are of its
first 10 classes, 2,000 and 20,000 of its first 50, always the first ones of a class. Even classes have as many images
each; uneven ones have 50 : 10 : 1, in turn, as far as there are images: with 400 a class, 20,000 come down to 8,288.
Flipped: a tenth of the training labels is another class, drawn at random. `before` types the recipe for many images;
`after` types nothing. The score is the accuracy on all validation images of the classes after the last epoch: 500 of 10
classes, 2,500 of 50, whose labels are never flipped. The test split is not looked at. Seconds are all that the training
takes: steps, validation and building graphs. Each training is a part that leaves a JSON file in the output folder; a
part that is there is not repeated. Where both recipes are the same, one training is both.
"""

import argparse
import dataclasses
import itertools
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from benchmarks.shared import part, prepared, train_config, trained_part, write_classes
from pipeline import config as options
from pipeline import models
from pipeline.config import TrainConfig, Values
from pipeline.data.prepared import Prepared
from pipeline.training.fit import Callbacks, DivergedError, EpochResult, fit
from pipeline.training.network_spec import network_spec
from pipeline.training.recipe import for_data

# Training images -> of how many classes, and seeds.
CLASSES = {100: 10, 320: 10, 2_000: 50, 20_000: 50}
SEEDS = {100: 5, 320: 5, 2_000: 5, 20_000: 1}
UNEVEN = (50, 10, 1)
FLIPPED = 0.1
BEFORE, AFTER = "before", "after"


class Kind(NamedTuple):
    """weights: of the classes' sizes, in turn. flipped: the part of the training labels that is wrong."""

    weights: tuple[int, ...]
    flipped: float


KINDS = {
    "even": Kind((1,), 0.0),
    "even-flipped": Kind((1,), FLIPPED),
    "uneven": Kind(UNEVEN, 0.0),
    "uneven-flipped": Kind(UNEVEN, FLIPPED),
}


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with lists")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts, and the lists")
    parser.add_argument("--counts", type=int, nargs="+", choices=CLASSES, default=list(CLASSES), metavar="COUNT")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--seeds", type=int, help="how many, from 0 (default: 5, but 1 for 20,000 images)")
    parser.add_argument("--recipes", nargs="+", choices=(BEFORE, AFTER), default=[BEFORE, AFTER], metavar="RECIPE")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    trainings = [
        (count, kind, seed, recipe)
        for count, kind in itertools.product(arguments.counts, arguments.kinds)
        for seed in range(arguments.seeds or SEEDS[count])
        for recipe in arguments.recipes
    ]
    results: dict[tuple[int, str, str], list[dict]] = {}
    for count, kind, seed, recipe in tqdm(trainings, unit="training"):
        folder = output / f"{count}-{kind}"
        if not folder.exists():
            write_lists(arguments.data, folder, count, CLASSES[count], KINDS[kind])
        results.setdefault((count, kind, recipe), []).append(_result(folder, recipe, seed))
    _print_table(results, arguments.recipes)


def write_lists(source: Path, folder: Path, count: int, classes: int, kind: Kind) -> None:
    """A folder of lists with about `count` training images of the first classes of `source`."""
    beside = folder.with_suffix(".part")
    write_classes(source, beside, range(classes))
    lines = (beside / "train.txt").read_text(encoding="utf-8").splitlines()
    by_label: list[list[str]] = [[] for _ in range(classes)]
    for line in lines:
        path, label = line.rsplit(" ", 1)
        by_label[int(label)].append(path)
    sizes = class_sizes(count, [len(paths) for paths in by_label], kind.weights)
    kept = [(path, label) for label, size in enumerate(sizes) for path in by_label[label][:size]]
    rng = random.Random(count)
    flipped = set(rng.sample(range(len(kept)), round(kind.flipped * len(kept))))
    written = []
    for number, (path, label) in enumerate(kept):
        said = rng.choice([other for other in range(classes) if other != label]) if number in flipped else label
        written.append(f"{path} {said}\n")
    (beside / "train.txt").write_text("".join(written), encoding="utf-8")
    beside.rename(folder)


def class_sizes(count: int, there: list[int], weights: tuple[int, ...]) -> list[int]:
    """Images of each class, `count` in all if there are so many. there: how many each has; weights: in turn."""
    turns = [weights[label % len(weights)] for label in range(len(there))]
    unit = min(count / sum(turns), *(have / turn for have, turn in zip(there, turns, strict=True)))
    return [max(1, round(unit * turn)) for turn in turns]


def _result(folder: Path, recipe: str, seed: int) -> dict:
    """What a training came to, from its part."""
    path = folder.parent / f"{folder.name}-{recipe}-{seed}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    common = {"data": str(folder), "seed": seed}
    data = prepared(train_config(common))
    before = train_config(common | recipe_for_many())
    config = before if recipe == BEFORE else for_data(train_config(common), data.facts)
    if options.digest(config) == options.digest(before):
        path = folder.parent / f"{folder.name}-{BEFORE}-{seed}.json"
    return part(path, lambda: trained(config, data))


def recipe_for_many() -> Values:
    """What would be typed for the default model to be trained as if images were many."""
    model = TrainConfig.model
    recipe = models.recipe(model)
    return {name: recipe[name] for name in models.following(model)}


def trained(config: TrainConfig, data: Prepared) -> dict:
    """Train, and keep what each epoch came to, the number of images, and the seconds that it took in all."""
    epochs: list[EpochResult] = []
    began = time.perf_counter()
    try:
        fit(models.build(config.model, network_spec(config, data)), data, config, Callbacks(epochs.append))
    except DivergedError as error:  # what it had until then stands
        print(error, file=sys.stderr)
    seconds = time.perf_counter() - began
    kept = trained_part(config, data, [dataclasses.asdict(epoch) for epoch in epochs])
    return kept | {"images": sum(data.facts.counts["train"]), "seconds": seconds}


def accuracy(result: dict) -> float:
    """That on the validation images after the last epoch; 0 if the training diverged."""
    epochs = result["epochs"]
    return epochs[-1]["val_accuracy"] if len(epochs) == result["options"]["epochs"] else 0.0


def _print_table(results: dict[tuple[int, str, str], list[dict]], recipes: list[str]) -> None:
    heads = [f"{recipe}: validation | seconds" for recipe in recipes]
    print(f"| images | classes | kind | seeds | {' | '.join(heads)} |")
    print(f"|---|---|---|---|{'---|---|' * len(recipes)}")
    for count, kind in dict.fromkeys((count, kind) for count, kind, _ in results):
        of_kind = [results[count, kind, recipe] for recipe in recipes]
        cells = [f"{of_kind[0][0]['images']:,}", str(CLASSES[count]), kind, str(len(of_kind[0]))]
        print(f"| {' | '.join([*cells, *map(cells, of_kind)])} |")


def cells(results: list[dict]) -> str:
    """The mean accuracy with the lowest and the highest, and the mean seconds."""
    accuracies = [100 * accuracy(result) for result in results]
    seconds = statistics.mean(result["seconds"] for result in results)
    spread = f" ({min(accuracies):.1f} to {max(accuracies):.1f})" if len(results) > 1 else ""
    return f"{statistics.mean(accuracies):.1f} %{spread} | {seconds:.0f}"


if __name__ == "__main__":
    main()
