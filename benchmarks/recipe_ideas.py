"""What each idea for the default recipe brings, alone.

    python -m benchmarks.recipe_ideas --data FOLDER --output FOLDER

Each is tried on top of `-P preset=fast -P epochs=4`, or of another length, with two seeds unless it is said otherwise.
A training is a part that leaves a JSON file in the output folder; a part that is there is not repeated: take a folder a
length. A table is printed at the end; its seconds are only worth something where nothing else was running.
"""

import argparse
import functools
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.shared import part, prepared, provenance, train_config
from pipeline import config as options
from pipeline import models
from pipeline.metrics import accuracy, cross_entropy
from pipeline.models.networks.contract import predict_prepared
from pipeline.models.networks.keras_network import NOT_DECAYED
from pipeline.models.networks.quiet_keras import keras
from pipeline.training.fit import fit
from pipeline.training.network_spec import network_spec, preprocessing_of

# A half-life of 30 steps.
AVERAGE_MOMENTUM = 0.977


@dataclass(frozen=True)
class Idea:
    """A change of the recipe.

    options: those of `train`. averaged: the weights' moving average is what counts. decays_all: normalisation and
    biases are decayed too.
    """

    options: dict[str, Any] = field(default_factory=dict)
    averaged: bool = False
    decays_all: bool = False


IDEAS = {
    "the recipe itself": Idea(),
    "no whitening": Idea({"whiten": False}),
    "images prepared at 48 pixels": Idea({"image_size": 48, "input_scale": 1.0, "initial_scale": 2 / 3}),
    "24 pixels at first": Idea({"initial_scale": 0.375}),
    "32 pixels throughout": Idea({"input_scale": 0.5}),
    "batches of 64, half the rate": Idea({"batch_size": 64, "learning_rate": 0.2}),
    "batches of 256, twice the rate": Idea({"batch_size": 256, "learning_rate": 0.8}),
    "half the learning rate": Idea({"learning_rate": 0.2}),
    "twice the learning rate": Idea({"learning_rate": 0.8}),
    "cosine": Idea({"schedule": "cosine"}),
    "AdamW": Idea({"optimizer": "adamw", "learning_rate": 2e-3, "weight_decay": 0.5}),
    "moving average of the weights": Idea(averaged=True),
    "twice the weight decay": Idea({"weight_decay": 1e-2}),
    "weight decay of normalisation and biases too": Idea(decays_all=True),
    "no label smoothing": Idea({"label_smoothing": 0.0}),
    "crops from 35 %": Idea({"min_crop_area": 0.35}),
    "crops from 70 %": Idea({"min_crop_area": 0.7}),
    "CutMix of half the images": Idea({"cutmix": 0.5}),
    "flips at random": Idea({"flips": "random"}),
    "width 24": Idea({"width": 24}),
    "width 32": Idea({"width": 32}),
}


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--ideas", nargs="+", choices=IDEAS, default=list(IDEAS), metavar="IDEA", help="these alone")
    arguments = parser.parse_args()
    results = {name: [] for name in arguments.ideas}
    base = {"data": arguments.data, "preset": "fast", "epochs": arguments.epochs}
    for seed, name in tqdm([(seed, name) for seed in arguments.seeds for name in arguments.ideas], unit="training"):
        path = arguments.output / f"{name.replace(' ', '-')}-{seed}.json"
        results[name].append(part(path, functools.partial(_train, IDEAS[name], base | {"seed": seed})))
    print("| idea | validation | loss | seconds |\n|---|---|---|---|")
    for name, parts in results.items():
        accuracies = ", ".join(f"{part['val_accuracy']:.1%}" for part in parts)
        loss, seconds = (statistics.mean(part[what] for part in parts) for what in ("val_loss", "seconds"))
        print(f"| {name} | {accuracies} | {loss:.3f} | {seconds:.0f} |")


def _train(idea: Idea, base: dict[str, Any]) -> dict:
    config = train_config(base | idea.options)
    data = prepared(config)
    network = models.build(config.model, network_spec(config, data))
    if idea.averaged or idea.decays_all:
        network.compile(_optimizer(idea, network.model.optimizer))
    epochs = fit(network, data, config).epochs
    if idea.averaged:
        network.model.optimizer.finalize_variable_values(network.model.trainable_variables)
    labels = data["val"].labels
    probabilities = predict_prepared(network, data["val"].images, preprocessing_of(config, data.facts))
    return {
        **provenance(),
        "options": options.identity(config),
        "data_digest": data.facts.digest,
        "val_accuracy": accuracy(labels, probabilities),
        "val_loss": cross_entropy(labels, probabilities),
        "seconds": sum(epoch.epoch_seconds for epoch in epochs),
    }


def _optimizer(idea: Idea, own: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """One like the network's own, but for what our options do not offer."""
    averages = {"use_ema": True, "ema_momentum": AVERAGE_MOMENTUM} if idea.averaged else {}
    optimizer = type(own).from_config(own.get_config() | averages)
    if not idea.decays_all:
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


if __name__ == "__main__":
    main()
