"""The report's recipe and its remedies at length, on a GPU.

    KERAS_BACKEND=jax python -m benchmarks.at_length --data FOLDER --output FOLDER

Needs JAX, which the project itself does not. A step of a network as small as the report's is over before the next
batch has reached a GPU, so here all images lie in its memory, and an epoch is one call. The network, its first weights,
its optimiser, the order of the images and the learning rate of each step are those that `train` has.

Each training is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from tqdm import trange

from benchmarks.against_the_report import CEILING, REPORTED
from benchmarks.remedies import IMAGE_SIZE, REMEDIES, path_of_part, typed_for
from benchmarks.shared import part, prepared, train_config, trained_part
from pipeline import models
from pipeline.config import TrainConfig
from pipeline.data.batches import epoch_order
from pipeline.data.prepared import Split
from pipeline.figures import DPI
from pipeline.models.networks.keras_network import KerasNetwork
from pipeline.training.network_spec import network_spec
from pipeline.training.schedule import learning_rates

VALIDATED_AT_ONCE = 250


def main() -> None:
    """Train what is missing, and print how far each came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--image_size", type=int, default=IMAGE_SIZE)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end a training after so many, unfinished")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--remedies", nargs="+", choices=REMEDIES, default=list(REMEDIES), metavar="REMEDY")
    parser.add_argument("--figure", type=Path, help="a file for the curves")
    arguments = parser.parse_args()
    curves = {}
    for name in arguments.remedies:
        typed = typed_for(arguments, name, arguments.seed)
        path = path_of_part(arguments.output / "at-length", name, typed)
        curves[name] = part(path, lambda typed=typed: trained(train_config(typed), arguments.minutes * 60))["epochs"]
        best = max(epoch["val_accuracy"] for epoch in curves[name])
        last = curves[name][-1]
        print(
            f"{name}: {best:.1%} at best; after {last['epoch']} epochs {last['val_accuracy']:.1%}, "
            f"in training {last['train_accuracy']:.1%}"
        )
    if arguments.figure:
        figure(curves).savefig(arguments.figure)


def trained(config: TrainConfig, seconds: float) -> dict:
    """Provenance, options, and what each epoch came to, of as many as fit in `seconds`."""
    import jax

    # Or a GPU would round to 10 bits in products.
    jax.config.update("jax_default_matmul_precision", "highest")
    data = prepared(config)
    train, val = data["train"], data["val"]
    network = models.build(config.model, network_spec(config, data))
    assert isinstance(network, KerasNetwork)
    images, labels = jax.device_put(np.asarray(train.images)), jax.device_put(train.labels)
    steps = len(train.labels) // config.batch_size
    rates = learning_rates(config.schedule, config.learning_rate, config.warmup, steps * config.epochs)
    rates = rates.astype(np.float32).reshape(config.epochs, steps)
    train_epoch, validate = _epoch_of(network), _validation_of(network, val)
    state = network.model.trainable_variables, network.model.non_trainable_variables, network.model.optimizer.variables
    state = jax.tree.map(lambda variable: variable.value, state)
    epochs = []
    started = time.time()
    for epoch in trange(1, config.epochs + 1, unit="epoch"):
        if time.time() - started > seconds:
            break
        # An epoch's last images that make no whole batch are left out.
        order = epoch_order(len(train.labels), config.seed, epoch)[: steps * config.batch_size]
        rows = order.reshape(steps, config.batch_size)
        began = time.perf_counter()
        state, loss, accuracy = train_epoch(state, images, labels, rows, rates[epoch - 1])
        reached = {"epoch": epoch, "train_loss": float(loss), "train_accuracy": float(accuracy)}
        epoch_seconds = time.perf_counter() - began
        epochs.append(reached | {"val_accuracy": validate(state), "epoch_seconds": epoch_seconds})
    return trained_part(config, data, epochs) | {"device": jax.devices()[0].device_kind, "started": started}


def _epoch_of(network: KerasNetwork) -> Callable:
    """An epoch as one call: state, images, labels, rows (steps, batch_size), rates -> state, loss, accuracy."""
    import jax
    import keras

    model, optimizer = network.model, network.model.optimizer

    def loss_of(trainable, frozen, images, labels):
        logits, frozen = model.stateless_call(trainable, frozen, images.astype("float32"), training=True)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return losses.mean(), (frozen, (logits.argmax(-1) == labels).mean())

    @jax.jit
    def epoch(state, images, labels, rows, rates):
        rate = [variable is optimizer.learning_rate for variable in optimizer.variables].index(True)

        def step(state, row_and_rate):
            trainable, frozen, moments = state
            row, moments[rate] = row_and_rate
            gradients_of = jax.value_and_grad(loss_of, has_aux=True)
            (loss, (frozen, accuracy)), gradients = gradients_of(trainable, frozen, images[row], labels[row])
            trainable, moments = optimizer.stateless_apply(moments, gradients, trainable)
            return (trainable, frozen, moments), (loss, accuracy)

        state, (losses, accuracies) = jax.lax.scan(step, state, (rows, rates))
        return state, losses.mean(), accuracies.mean()

    return epoch


def _validation_of(network: KerasNetwork, val: Split) -> Callable:
    """What gives the accuracy of a state on `val`."""
    import jax

    images, labels = jax.device_put(np.asarray(val.images)), val.labels

    @jax.jit
    def predicted(state, images):
        trainable, frozen, _ = state
        logits, _ = network.model.stateless_call(trainable, frozen, images.astype("float32"), training=False)
        return logits.argmax(-1)

    def validate(state) -> float:
        starts = range(0, len(labels), VALIDATED_AT_ONCE)
        found = np.concatenate([predicted(state, images[start : start + VALIDATED_AT_ONCE]) for start in starts])
        return float((found == labels).mean())

    return validate


def figure(curves: dict[str, list[dict]]) -> Figure:
    """Validation accuracy by epoch. curves: remedy -> its epochs."""
    drawn = Figure(figsize=(13, 4.8), dpi=DPI, layout="constrained")
    axes = drawn.subplots()
    for name, epochs in curves.items():
        reached = [epoch["val_accuracy"] for epoch in epochs]
        axes.plot(range(1, len(reached) + 1), reached, label=f"{name}: {max(reached):.1%}")
    axes.plot(list(REPORTED), list(REPORTED.values()), "ks", label="as reported")
    axes.axhline(CEILING, color="black", lw=0.8, ls="--", label=f"the report's best, of 300 epochs: {CEILING:.0%}")
    axes.set(xlabel="epoch", title="validation accuracy, and its highest")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    drawn.legend(loc="outside right center")
    return drawn


if __name__ == "__main__":
    main()
