"""What each idea for the default recipe brings, alone.

    python -m benchmarks.recipe_ideas --data FOLDER --output FOLDER

Each is tried on top of `-P preset=fast -P epochs=4`, or of another length, with two seeds unless it is said otherwise.
A training is a part that leaves a JSON file in the output folder; a part that is there is not repeated: take a folder a
length. A table is printed at the end; its seconds are only worth something where nothing else was running.
"""

import argparse
import dataclasses
import functools
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.shared import part, prepared, provenance, train_config
from pipeline import config as options
from pipeline import models
from pipeline.metrics import accuracy, cross_entropy
from pipeline.models.architectures import resnet as default_model
from pipeline.models.networks import keras_network
from pipeline.models.networks.contract import NetworkSpec, predict_scaled
from pipeline.models.networks.keras_network import KerasNetwork, keras_model
from pipeline.models.networks.normalization import MOMENTUM, batch_normalization
from pipeline.models.networks.quiet_keras import keras
from pipeline.models.networks.whitening import Whitening
from pipeline.tracked_training import network_spec
from pipeline.training.fit import fit, input_size

# A half-life of 30 steps.
AVERAGE_MOMENTUM = 0.977


@dataclass(frozen=True)
class Idea:
    """A change of the recipe.

    options: those of `train`. network: arguments of `resnet_with`. averaged: the weights' moving average is what
    counts. decays_all: normalisation and biases are decayed too.
    """

    options: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    averaged: bool = False
    decays_all: bool = False


IDEAS = {
    "the recipe itself": Idea(),
    "no whitening": Idea({"whiten": False}),
    "16 whitened directions of 27": Idea(network={"whitened": 32}),
    "3 x 3 convolution after the whitening": Idea(network={"after_whitening": 3}),
    "blocks at half the size too": Idea(network={"first_stage": True}),
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
    "cut-out in half the images": Idea(network={"erased": 0.5}),
    "CutMix of half the images": Idea({"cutmix": 0.5}),
    "flips at random": Idea({"flips": "random"}),
    "squeeze-and-excitation in the last two stages": Idea(network={"excited": 2}),
    "stochastic depth": Idea(network={"dropped": 0.1}),
    "blurred downsampling": Idea(network={"blurred": True}),
    "SiLU": Idea(network={"activation": "silu"}),
    "blocks that begin as the identity": Idea(network={"zero_start": True}),
    "identity-initialised convolutions": Idea(network={"identity": True}),
    "Keras's own normalisation": Idea(network={"fused": False}),
    "no normalisation": Idea(network={"normalises": False}),
    "no normalisation, a quarter of the rate": Idea({"learning_rate": 0.1}, {"normalises": False}),
    "width 24": Idea(network={"width": 24}),
    "width 32": Idea(network={"width": 32}),
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
    network = _network(idea, network_spec(config, data))
    epochs = fit(network, data, config, lambda epoch: None).epochs
    if idea.averaged:
        network.model.optimizer.finalize_variable_values(network.model.trainable_variables)
    labels = data["val"].labels
    probabilities = predict_scaled(network, data["val"].images, input_size(config, data.facts))
    return {
        **provenance(),
        "options": options.identity(config),
        "data_digest": data.facts.digest,
        "val_accuracy": accuracy(labels, probabilities),
        "val_loss": cross_entropy(labels, probabilities),
        "seconds": sum(epoch.epoch_seconds for epoch in epochs),
    }


def _network(idea: Idea, spec: NetworkSpec) -> KerasNetwork:
    spec = dataclasses.replace(spec, hyperparameters=spec.hyperparameters | idea.network)
    network = resnet_with(spec) if idea.network else models.build("resnet", spec)
    # Known to Keras's optimisers, though not to our options.
    optimizer = keras_network._optimizer(spec)
    if idea.averaged:
        optimizer.use_ema, optimizer.ema_momentum = True, AVERAGE_MOMENTUM
    if idea.decays_all:
        optimizer.exclude_from_weight_decay(var_names=[])
    network.compile(optimizer)
    return network


class _DropPath(keras.layers.Layer):
    """Stochastic depth (Huang et al. 2016): a branch is left out, image by image, at a rate."""

    def __init__(self, rate: float):
        super().__init__()
        self._dropout = keras.layers.Dropout(rate, noise_shape=(None, 1, 1, 1))

    def call(self, inputs, training=None):
        return self._dropout(inputs, training=training)


class _Blur(keras.layers.DepthwiseConv2D):
    """A fixed binomial filter of 3 x 3 at a stride of 2 (Zhang 2019)."""

    def __init__(self):
        super().__init__(3, 2, padding="same", use_bias=False, trainable=False, depthwise_initializer=self._binomial)

    @staticmethod
    def _binomial(shape, dtype=None):
        kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
        return keras.ops.convert_to_tensor(np.broadcast_to(kernel[:, :, None, None], shape), dtype)


class _Identity(keras.initializers.Initializer):
    """As many outputs as there are inputs begin as those; the others as He et al. have it (airbench)."""

    def __call__(self, shape, dtype=None):
        kernel = np.array(keras.initializers.HeNormal()(shape))
        shared = min(shape[2:])
        kernel[:, :, :, :shared] = 0
        kernel[shape[0] // 2, shape[1] // 2, range(shared), range(shared)] = 1
        return keras.ops.convert_to_tensor(kernel, dtype)


@keras_model()
def resnet_with(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int,
    width: int,
    dropout: float,
    whiten: bool,
    whitened: int = default_model.WHITENED,
    after_whitening: int = 1,
    first_stage: bool = False,
    erased: float = 0.0,
    excited: int = 0,
    dropped: float = 0.0,
    blurred: bool = False,
    activation: str = "relu",
    zero_start: bool = False,
    identity: bool = False,
    fused: bool = True,
    normalises: bool = True,
) -> keras.Model:
    """The default model with ideas. Keep it as that one is, but for them."""

    def convolution(inputs, channels, size, strides=1):
        initializer = _Identity() if identity and size > 1 else "he_normal"
        arguments = dict(padding="same", use_bias=not normalises, kernel_initializer=initializer)
        return keras.layers.Conv2D(channels, size, strides, **arguments)(inputs)

    def normalised(inputs, **arguments):
        if not normalises:
            return inputs
        kind = batch_normalization if fused else keras.layers.BatchNormalization
        return kind(momentum=MOMENTUM, **arguments)(inputs)

    def active(inputs):
        return keras.layers.Activation(activation)(inputs)

    def excite(inputs):
        gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
        gate = keras.layers.Conv2D(max(8, inputs.shape[-1] // 8), 1, activation="relu")(gate)
        gate = keras.layers.Conv2D(inputs.shape[-1], 1, activation="sigmoid", bias_initializer="ones")(gate)
        return keras.layers.Multiply()([inputs, gate])

    def block(inputs, channels, strides, excites):
        outputs = convolution(inputs, channels, 3, 1 if blurred else strides)
        outputs = active(normalised(outputs))
        if blurred and strides > 1:
            outputs = _Blur()(outputs)
        outputs = convolution(outputs, channels, 3)
        outputs = normalised(outputs, gamma_initializer="zeros" if zero_start else "ones")
        if excites:
            outputs = excite(outputs)
        if dropped:
            outputs = _DropPath(dropped)(outputs)
        shortcut = inputs
        if strides > 1:
            shortcut = keras.layers.AveragePooling2D(strides, padding="same")(shortcut)
        if shortcut.shape[-1] != channels:
            shortcut = normalised(convolution(shortcut, channels, 1))
        return active(keras.layers.Add()([shortcut, outputs]))

    inputs = keras.Input(input_shape)
    outputs = inputs
    if erased:
        # What is cut out is the mean of the training images: its pixels are standardised by now.
        erase = keras.layers.RandomErasing(erased, (0.05, 0.3), fill_value=0.0, value_range=(-10, 10), seed=0)
        outputs = erase(outputs)
    outputs = active(Whitening(whitened, 3, strides=2)(outputs))
    outputs = active(normalised(convolution(outputs, width, after_whitening)))
    if first_stage:
        outputs = block(outputs, width, 1, False)
    for stage in range(1, default_model.STAGES + 1):
        for number in range(depth):
            excites = stage > default_model.STAGES - excited
            outputs = block(outputs, width * 2**stage, 2 if number == 0 else 1, excites)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    outputs = keras.layers.Dropout(dropout)(outputs)
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32")(outputs), name="resnet_with")


if __name__ == "__main__":
    main()
