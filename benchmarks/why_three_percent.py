"""Why the reference report's hand-written LeNet-5 got 3 %: each suspected mistake alone, and all of them together.

    python -m benchmarks.why_three_percent --data FOLDER

Each variant is a run in MLflow (experiment "why three percent"), trained by the pipeline's own loop; the parent run
holds one figure and one table of all.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pipeline import config as options
from pipeline import tracking
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.figures import DPI
from pipeline.models.networks.contract import NetworkSpec
from pipeline.models.networks.numpy_network import NumpyNetwork
from pipeline.numpy_lenet.arrays import Array
from pipeline.numpy_lenet.layers import Layer, MaxPool, ReLU
from pipeline.numpy_lenet.lenet5 import lenet5
from pipeline.numpy_lenet.network import Network
from pipeline.tracked.data import ensure_prepared
from pipeline.training.fit import Callbacks, EpochResult, fit
from pipeline.training.network_spec import network_spec

EXPERIMENT = "why three percent"
BATCH_SIZE = 32


class Sigmoid(Layer):
    """1 / (1 + exp(-inputs)), as the report's text has it."""

    def forward(self, inputs: Array, training: bool) -> Array:
        self._inputs = inputs
        self._outputs = 1 / (1 + np.exp(-np.clip(inputs, -60, 60)))
        return self._outputs

    def backward(self, grad_outputs: Array) -> Array:
        return grad_outputs * self._outputs * (1 - self._outputs)


class SigmoidOfInput(Sigmoid):
    """Takes y * (1 - y) of its input y, where it belongs to its output."""

    def backward(self, grad_outputs: Array) -> Array:
        return grad_outputs * self._inputs * (1 - self._inputs)


class GradientlessMaxPool(MaxPool):
    """Lets no gradient through: the convolutions stay as they were drawn."""

    def backward(self, grad_outputs: Array) -> Array:
        return np.zeros_like(super().backward(grad_outputs))


def normal_biases(network: Network, rng: np.random.Generator) -> None:
    """Draw every bias from N(0, 1)."""
    for name, value in network.parameters().items():
        if name.endswith("bias"):
            value[...] = rng.normal(size=value.shape)


def he_without_area(network: Network, rng: np.random.Generator) -> None:
    """Draw convolutions by He's rule with the input channels as the fan in, without the kernel's area."""
    for value in network.parameters().values():
        if value.ndim == 4:
            value[...] = rng.normal(scale=np.sqrt(2 / value.shape[2]), size=value.shape)


@dataclass(frozen=True)
class Variant:
    """How a variant differs from the network as it should be.

    summed: gradients are summed over the batch, not averaged. raw_pixels: 0 to 255, not standardised.
    """

    activation: type[Layer] = ReLU
    pooling: type[MaxPool] = MaxPool
    spoil: tuple[Callable[[Network, np.random.Generator], None], ...] = ()
    summed: bool = False
    raw_pixels: bool = False


VARIANTS = {
    "as it should be": Variant(),
    "sigmoid, otherwise right": Variant(activation=Sigmoid),
    "biases from N(0, 1)": Variant(spoil=(normal_biases,)),
    "He without the kernel's area": Variant(spoil=(he_without_area,)),
    "gradients summed": Variant(summed=True),
    "sigmoid' of the input": Variant(activation=SigmoidOfInput),
    "pixels not scaled": Variant(raw_pixels=True),
    "no pooling gradient": Variant(pooling=GradientlessMaxPool),
    "all of them": Variant(
        SigmoidOfInput, GradientlessMaxPool, (normal_biases, he_without_area), summed=True, raw_pixels=True
    ),
}


def main() -> None:
    """Train every variant and log the comparison."""
    arguments = _arguments()
    config = TrainConfig(
        model="lenet5-numpy",
        data=arguments.data,
        image_size=32,
        workdir=options.PROJECT_WORKDIR,
        epochs=arguments.epochs,
        batch_size=BATCH_SIZE,
        learning_rate=0.01,
        schedule="constant",
        warmup=0.0,
        weight_decay=0.0,
        label_smoothing=0.0,
        augment="none",
        precision="float32",
    )
    with tracking.run("benchmark", "why three percent", experiment=EXPERIMENT) as parent:
        data = ensure_prepared(options.part(config, PreprocessConfig), parent.id)
        trained = [
            _train(name, variant, dataclasses.replace(config, seed=seed), data, parent.id)
            for name, variant in VARIANTS.items()
            for seed in range(arguments.seeds)
        ]
        table = pd.concat(trained, ignore_index=True)
        parent.set_tags({"data_digest": data.facts.digest})
        parent.log_params({"command": " ".join(sys.argv[1:]), "epochs": config.epochs, "seeds": arguments.seeds})
        parent.log_table("why_three_percent", table)
        figure = accuracy_by_variant(table, chance=1 / len(data.facts.class_names))
        parent.log_figure("why_three_percent", figure)
        if arguments.figure:
            figure.savefig(arguments.figure)
        print(table.groupby("variant", sort=False)["val_accuracy"].agg(["max", "last"]).to_string())
        print(tracking.run_address(parent))


def _train(name: str, variant: Variant, config: TrainConfig, data: Prepared, parent: str) -> pd.DataFrame:
    """One row an epoch: variant, seed, epoch, train_loss, train_accuracy, val_accuracy. Chance where it diverged."""
    with tracking.run("train", f"{name}, seed {config.seed}", parent) as run:
        run.set_tags({"model": config.model, "data_digest": data.facts.digest, "variant": name})
        run.log_params(options.identity(config) | {"variant": name})
        rows: list[EpochResult] = []

        def on_epoch(result: EpochResult) -> None:
            rows.append(result)
            run.log_metrics(result.metrics(), result.epoch, result.time)

        try:
            fit(_network(variant, config, data), data, _summing(config, variant), Callbacks(on_epoch))
        except UserError as error:
            run.set_tags({"diverged": str(error)})
    columns = ["epoch", "train_loss", "train_accuracy", "val_accuracy"]
    table = pd.DataFrame([dataclasses.asdict(row) for row in rows], columns=columns).astype(float)
    # A loss that is no longer finite leaves a network that names one class.
    table = table.set_index("epoch").reindex(range(1, config.epochs + 1)).reset_index()
    table["val_accuracy"] = table["val_accuracy"].fillna(1 / len(data.facts.class_names))
    return table.assign(variant=name, seed=config.seed, diverged=len(rows) < config.epochs)


def accuracy_by_variant(table: pd.DataFrame, chance: float) -> Figure:
    """Validation accuracy by epoch of each variant, the mean over its seeds with the lowest and the highest.

    table: columns variant, seed, epoch, val_accuracy.
    """
    names = list(table["variant"].unique())
    figure = Figure(figsize=(11, 5), dpi=DPI, layout="constrained")
    curve_axes, bar_axes = figure.subplots(1, 2)
    for number, name in enumerate(names):
        by_epoch = table[table["variant"] == name].groupby("epoch")["val_accuracy"].agg(["mean", "min", "max"])
        colour = f"C{number}"
        curve_axes.plot(by_epoch.index, by_epoch["mean"], color=colour, marker="o", ms=3)
        curve_axes.fill_between(by_epoch.index, by_epoch["min"], by_epoch["max"], color=colour, alpha=0.15)
        last = by_epoch.iloc[-1]
        reach = [[last["mean"] - last["min"]], [last["max"] - last["mean"]]]
        bar_axes.barh(number, last["mean"], xerr=reach, color=colour, height=0.7, capsize=3)
        bar_axes.text(last["max"] + 0.004, number, f"{last['mean']:.1%}", va="center", fontsize=9)
    curve_axes.set(xlabel="epoch", ylabel="val_accuracy", title="validation accuracy by epoch")
    curve_axes.set_ylim(bottom=0)
    curve_axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    curve_axes.yaxis.set_major_formatter(PercentFormatter(1))
    curve_axes.axhline(chance, color="grey", linestyle=":")
    bar_axes.axvline(chance, color="grey", linestyle=":", label=f"chance {chance:.0%}")
    bar_axes.set_yticks(range(len(names)), names)
    bar_axes.invert_yaxis()
    bar_axes.margins(x=0.15)
    bar_axes.xaxis.set_major_locator(MaxNLocator(5))
    bar_axes.xaxis.set_major_formatter(PercentFormatter(1))
    bar_axes.set_title(f"after {table['epoch'].max()} epochs, {table['seed'].nunique()} seeds")
    bar_axes.legend(loc="lower right")
    return figure


def _summing(config: TrainConfig, variant: Variant) -> TrainConfig:
    """A gradient that is summed over the batch is the mean one, as many times as large as the batch."""
    return dataclasses.replace(config, learning_rate=config.learning_rate * BATCH_SIZE) if variant.summed else config


def _network(variant: Variant, config: TrainConfig, data: Prepared) -> NumpyNetwork:
    def builder(input_shape: tuple[int, ...], classes: int, *, seed: int) -> Network:
        network = lenet5(input_shape, classes, seed=seed, activation=variant.activation, pooling=variant.pooling)
        rng = np.random.default_rng((seed, 1))
        for spoil in variant.spoil:
            spoil(network, rng)
        return network

    spec: NetworkSpec = network_spec(config, data)
    if variant.raw_pixels:
        raw = dataclasses.replace(spec.preprocessing, mean=(0.0,) * 3, deviation=(1.0,) * 3)
        spec = dataclasses.replace(spec, preprocessing=raw)
    return NumpyNetwork(builder, spec)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="as for train")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--figure", type=Path, help="file for the figure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
