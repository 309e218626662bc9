"""Whether the hand-written LeNet-5 learns as well as the same network in Keras: one recipe, several seeds.

    python -m benchmarks.numpy_against_keras --data FOLDER --output FOLDER

Each training is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import functools
import statistics
from pathlib import Path

from benchmarks.shared import part, prepared, provenance
from pipeline import config as options
from pipeline import models
from pipeline.config import TrainConfig
from pipeline.models.networks.contract import Network
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.quiet_keras import keras
from pipeline.training.fit import Callbacks, fit
from pipeline.training.network_spec import network_spec

MODEL = "lenet5-numpy"


@keras_model()
def keras_twin(
    input_shape: tuple[int, int, int], classes: int, *, depth: int = 2, width: int = 6, dropout: float = 0.0
) -> keras.Model:
    """LeNet-5 with the layers, sizes and starting values of pipeline/numpy_lenet/lenet5.py; depth and width fixed."""
    he = "he_normal"
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(6, 5, kernel_initializer=he),
            keras.layers.MaxPooling2D(2),
            keras.layers.ReLU(),
            keras.layers.Conv2D(16, 5, kernel_initializer=he),
            keras.layers.MaxPooling2D(2),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(120, activation="relu", kernel_initializer=he),
            keras.layers.Dense(84, activation="relu", kernel_initializer=he),
            keras.layers.Dense(classes),
        ]
    )


def main() -> None:
    """Train both with each seed, and print their best validation accuracies."""
    arguments = _arguments()
    recipe = models.recipe(MODEL) | ({"epochs": arguments.epochs} if arguments.epochs else {})
    accuracies: dict[str, list[float]] = {"numpy": [], "keras": []}
    for seed in range(arguments.seeds):
        for kind, reached in accuracies.items():
            config = TrainConfig(model=MODEL, data=arguments.data, seed=seed, workdir=options.PROJECT_WORKDIR, **recipe)
            result = part(arguments.output / f"{kind}-{seed}.json", functools.partial(_train, kind, config))
            reached.append(result["best_val_accuracy"])
    for kind, values in accuracies.items():
        shown = ", ".join(f"{value:.2%}" for value in values)
        print(f"{kind}: mean {statistics.mean(values):.2%} of {shown}")
    print(
        f"difference of the means: {statistics.mean(accuracies['numpy']) - statistics.mean(accuracies['keras']):+.2%}"
    )


def _train(kind: str, config: TrainConfig) -> dict:
    data = prepared(config)
    spec = network_spec(config, data)
    network: Network = models.build(MODEL, spec) if kind == "numpy" else keras_twin(spec)
    result = fit(
        network,
        data,
        config,
        Callbacks(lambda epoch: print(kind, config.seed, epoch.epoch, epoch.val_accuracy)),
    )
    return {
        **provenance(),
        "options": options.identity(config),
        "data_digest": data.facts.digest,
        "best_val_accuracy": result.best.val_accuracy,
        "val_accuracy": [epoch.val_accuracy for epoch in result.epochs],
        "epoch_seconds": [epoch.epoch_seconds for epoch in result.epochs],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="as for train")
    parser.add_argument("--output", type=Path, required=True, help="folder of a JSON file a training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
