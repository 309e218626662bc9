"""What a body that was trained on other classes brings where images are few, against the default recipe from scratch.

    python -m benchmarks.transfer --data FOLDER --output FOLDER
    python -m benchmarks.transfer --data FOLDER --output FOLDER --counts 320 --seeds 1 --recipes default transfer

Trains a class of keras.applications on the first half of the classes: the weights for all that follows, since published
ones may not be at hand, and would know these images. Then, on a few images of each of the other classes: `default` is
what `train` does with nothing typed, `scratch` the model's own recipe with random weights, `transfer` what
`preset=transfer` does with those weights, at --image_size, `head` the same with trained_body=0. --try adds a recipe:
`transfer` with other options, as in --try trained_body=1 learning_rate=3e-4. FOLDER has train.txt, val.txt and
test.txt, and a classes.txt, as imagenet50 has. The score is the accuracy on all validation images of those classes
after the last epoch; the test split is not looked at. Seconds are all that the training takes, features included where
no training before had computed them. Each training is a part that leaves a JSON file in the output folder; a part that
is there is not repeated.
"""

import argparse
import dataclasses
import itertools
from pathlib import Path

from tqdm import tqdm

from benchmarks.few_images import accuracy, cells, class_sizes, trained
from benchmarks.shared import part, prepared, train_config, trained_part, write_classes
from pipeline import models
from pipeline.config import Values
from pipeline.training.fit import fit
from pipeline.training.network_spec import network_spec
from pipeline.training.recipe import for_data

SEEDS = 3
COUNTS = (320, 1_000)
RECIPES = ("default", "scratch", "transfer", "head")


def main() -> None:
    """Train what is missing, and print what each recipe came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with lists")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts, and the lists")
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--image_size", type=int, default=64, help="of all trainings but `default`")
    parser.add_argument("--first_epochs", type=int, default=20)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="COUNT", help="training images in all")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, from 0")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES, metavar="RECIPE")
    parser.add_argument("--try", nargs="+", default=[], metavar="NAME=VALUE", dest="tried")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    of_model: Values = {"model": arguments.model, "image_size": arguments.image_size}
    _train_first(arguments.data, output, of_model | {"epochs": arguments.first_epochs})
    recipes = {name: typed for name, typed in _recipes(of_model, output).items() if name in arguments.recipes}
    if arguments.tried:
        options = dict(each.split("=", 1) for each in arguments.tried)
        recipes[" ".join(arguments.tried)] = _recipes(of_model, output)["transfer"] | options
    trainings = list(itertools.product(arguments.counts, recipes, range(arguments.seeds)))
    results: dict[tuple[int, str], list[dict]] = {}
    for count, recipe, seed in tqdm(trainings, unit="training"):
        folder = output / str(count)
        if not folder.exists():
            _write_few(arguments.data, folder, count)
        path = output / f"{count}-{recipe.replace(' ', '-')}-{seed}.json"
        typed = recipes[recipe] | {"data": str(folder), "seed": seed}
        results.setdefault((count, recipe), []).append(part(path, lambda typed=typed: _trained(typed)))
    print("| images | recipe | seeds | validation | seconds |\n|---|---|---|---|---|")
    for (_, recipe), found in results.items():
        print(f"| {found[0]['images']:,} | {recipe} | {len(found)} | {cells(found)} |")


def _recipes(of_model: Values, output: Path) -> dict[str, Values]:
    transfer = of_model | {"preset": "transfer", "weights": str(output / "network.keras")}
    return {"default": {}, "scratch": of_model, "transfer": transfer, "head": transfer | {"trained_body": 0}}


def _classes(data: Path) -> int:
    """How many classes there are."""
    return len((data / "classes.txt").read_text(encoding="utf-8").splitlines())


def _train_first(data: Path, output: Path, typed: Values) -> None:
    """The training whose weights the others begin with, on the first half of the classes."""
    half = _classes(data) // 2
    write_classes(data, output / "first", range(half))
    result = part(output / "first.json", lambda: _first(typed | {"data": str(output / "first")}, output))
    seconds = sum(epoch["epoch_seconds"] for epoch in result["epochs"])
    print(f"first half: {accuracy(result):.1%} in {seconds:.0f} s")


def _first(typed: Values, output: Path) -> dict:
    config = train_config(typed)
    data = prepared(config)
    config = for_data(config, data.facts)
    network = models.build(config.model, network_spec(config, data))
    epochs = fit(network, data, config).epochs
    network.save(output)
    return trained_part(config, data, [dataclasses.asdict(epoch) for epoch in epochs])


def _write_few(data: Path, folder: Path, count: int) -> None:
    """A folder of lists with about `count` training images of the second half of the classes."""
    classes = _classes(data)
    labels = range(classes // 2, classes // 2 * 2)
    (size, *_) = class_sizes(count, [count] * len(labels), (1,))
    write_classes(data, folder, labels, size)


def _trained(typed: Values) -> dict:
    config = train_config(typed)
    data = prepared(config)
    return trained(for_data(config, data.facts), data)


if __name__ == "__main__":
    main()
