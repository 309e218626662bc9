"""How fast the hand-written LeNet-5 is, and where its time goes.

    python -m benchmarks.numpy_lenet --output numpy_lenet.json

It and Keras's train on the same 20,000 images of 32x32 RGB with the same optimizer (SGD, momentum 0.9, float32), in
turns in one process, so that whatever else the machine does hits both. Keras runs in the fastest of its loops.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.numpy_lenet import layers
from pipeline.numpy_lenet.arrays import Array
from pipeline.numpy_lenet.lenet5 import lenet5
from pipeline.numpy_lenet.losses import softmax_cross_entropy
from pipeline.numpy_lenet.network import Network
from pipeline.numpy_lenet.optimizers import SGD

ROOT = Path(__file__).parent.parent
INPUT_SHAPE, CLASSES = (32, 32, 3), 50
LEARNING_RATE, MOMENTUM = 0.01, 0.9
BATCH_SIZES = (32, 128)

Epoch = Callable[[], None]


def main() -> None:
    """Measure, print, and write what was measured as JSON."""
    options = _options()
    if options.child:
        _epoch_of(options.child, *_data(options.images), options.batch_size)()
        print(_peak_memory_mib())
        return
    results = {
        "machine": {"cores": os.cpu_count(), "numpy": np.__version__, "python": sys.version.split()[0]},
        "epoch_seconds": {str(size): epochs(size, options.images, options.repeats) for size in BATCH_SIZES},
        "peak_memory_mib": {str(size): peak_memory(size, options.images) for size in BATCH_SIZES},
        "naive_loops": naive_loops(options.naive_images),
        "layers": {str(size): layer_times(size) for size in BATCH_SIZES},
        "matrix_products": {str(size): matrix_products(size) for size in BATCH_SIZES},
    }
    _print(results)
    if options.output:
        options.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def epochs(batch_size: int, images: int, repeats: int) -> dict[str, Any]:
    """Seconds of `repeats` epochs of each, taken in turns, and the ratio of each pair."""
    data = _data(images)
    ours = _epoch_of("numpy", *data, batch_size)
    loop, theirs = _fastest_keras_epoch(*data, batch_size)
    _seconds(ours)
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(repeats)]
    ratios = sorted(mine / other for mine, other in pairs)
    return {
        "numpy": [mine for mine, _ in pairs],
        "keras": [other for _, other in pairs],
        "keras_loop": loop,
        "ratio": statistics.median(ratios),
        "ratio_lowest": ratios[0],
        "ratio_highest": ratios[-1],
    }


def peak_memory(batch_size: int, images: int) -> dict[str, float]:
    """The most memory that a process held which trained one epoch, imports and images included, in MiB."""
    command = [sys.executable, "-m", "benchmarks.numpy_lenet", "--images", str(images), "--batch-size", str(batch_size)]
    return {
        child: float(
            subprocess.run(
                [*command, "--child", child], cwd=ROOT, check=True, capture_output=True, text=True
            ).stdout.split()[-1]
        )
        for child in ("numpy", "keras")
    }


def naive_loops(n: int) -> dict[str, float]:
    """Seconds for the gradients of a batch of `n`, here and with loops over images, rows, columns and channels."""
    images, targets = _data(n)
    network, naive = lenet5(INPUT_SHAPE, CLASSES), _naive_lenet5()
    naive_seconds = _seconds(lambda: naive.loss_and_gradients(images, targets))
    seconds = _seconds(lambda: network.loss_and_gradients(images, targets), repeats=20)
    for name, gradient in network.gradients().items():
        np.testing.assert_allclose(naive.gradients()[name], gradient, atol=1e-4 * np.abs(gradient).max())
    return {"images": n, "numpy": seconds, "naive": naive_seconds, "factor": naive_seconds / seconds}


def layer_times(batch_size: int, repeats: int = 100) -> dict[str, dict[str, float]]:
    """Median microseconds of each layer's passes over a batch, and of the optimizer's step."""
    images, targets = _data(batch_size)
    network, optimizer = lenet5(INPUT_SHAPE, CLASSES), SGD(MOMENTUM)
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def timed(name: str, way: str, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments)
        times[name][way].append((time.perf_counter() - start) * 1e6)
        return result

    for _ in range(repeats):
        signal = images
        for name, layer in network.chain.items():
            signal = timed(name, "forward", layer.forward, signal, True)
        _, signal = timed("loss", "forward", softmax_cross_entropy, signal, targets)
        for name, layer in reversed(network.chain.items()):
            signal = timed(name, "backward", layer.backward, signal)
        timed("optimizer", "backward", optimizer.update, network.parameters(), network.gradients(), LEARNING_RATE)
    return {name: {way: statistics.median(values) for way, values in ways.items()} for name, ways in times.items()}


def matrix_products(batch_size: int, repeats: int = 50) -> list[dict[str, Any]]:
    """Microseconds of each matrix product in a batch, and of as many plain matmuls of contiguous arrays as large."""
    images, targets = _data(batch_size)
    network = lenet5(INPUT_SHAPE, CLASSES)
    with _matmuls() as calls:
        network.loss_and_gradients(images, targets)
    rows: dict[str, dict[str, Any]] = {}
    for left, right, out in calls:
        plain = [np.ascontiguousarray(array) for array in (left, right, out)]
        shape = f"{left.shape} @ {right.shape}"
        row = rows.setdefault(shape, {"shape": shape, "microseconds": 0.0, "plain_microseconds": 0.0, "gflop": 0.0})
        row["microseconds"] += 1e6 * _seconds(partial(np.matmul, left, right, out=out), repeats)
        row["plain_microseconds"] += 1e6 * _seconds(partial(np.matmul, *plain[:2], out=plain[2]), repeats)
        row["gflop"] += 2e-9 * out.size * left.shape[-1]
    return list(rows.values())


@contextmanager
def _matmuls() -> Iterator[list[tuple[Array, Array, Array]]]:
    """Collects the operands of the matrix products inside, in the pieces that go to BLAS."""
    matmul, calls = np.matmul, []

    def collecting(left: Array, right: Array, out: Array) -> Array:
        calls.append((left, right, out))
        return matmul(left, right, out=out)

    np.matmul = collecting  # type: ignore[assignment]
    try:
        yield calls
    finally:
        np.matmul = matmul


class _NaiveConv2D(layers.Conv2D):
    """The same convolution (stride 1, valid) as the definition reads."""

    def forward(self, inputs: Array, training: bool) -> Array:
        kernel, bias = self.parameters["kernel"], self.parameters["bias"]
        self._inputs = inputs
        outputs = np.empty((len(inputs), *self.output_shape(inputs.shape[1:])), kernel.dtype)
        for n, y, x, o in np.ndindex(outputs.shape):
            patch = inputs[n, y : y + self.size, x : x + self.size]
            outputs[n, y, x, o] = np.sum(patch * kernel[..., o]) + bias[o]
        return outputs

    def backward(self, grad_outputs: Array) -> Array:
        kernel = self.parameters["kernel"]
        grad_inputs = np.zeros_like(self._inputs)
        for gradient in self.gradients.values():
            gradient.fill(0)
        for n, y, x, o in np.ndindex(grad_outputs.shape):
            patch = np.s_[n, y : y + self.size, x : x + self.size]
            self.gradients["kernel"][..., o] += grad_outputs[n, y, x, o] * self._inputs[patch]
            self.gradients["bias"][o] += grad_outputs[n, y, x, o]
            grad_inputs[patch] += grad_outputs[n, y, x, o] * kernel[..., o]
        return grad_inputs


class _NaiveMaxPool(layers.MaxPool):
    """The same pooling as the definition reads."""

    def forward(self, inputs: Array, training: bool) -> Array:
        self._inputs = inputs
        outputs = np.empty((len(inputs), *self.output_shape(inputs.shape[1:])), inputs.dtype)
        for n, y, x, c in np.ndindex(outputs.shape):
            outputs[n, y, x, c] = inputs[self._square(n, y, x, c)].max()
        return outputs

    def backward(self, grad_outputs: Array) -> Array:
        grad_inputs = np.zeros_like(self._inputs)
        for n, y, x, c in np.ndindex(grad_outputs.shape):
            square = self._square(n, y, x, c)
            largest = np.unravel_index(self._inputs[square].argmax(), (self.size, self.size))
            grad_inputs[square][largest] = grad_outputs[n, y, x, c]
        return grad_inputs

    def _square(self, n: int, y: int, x: int, c: int) -> tuple[Any, ...]:
        return np.s_[n, y * self.size : (y + 1) * self.size, x * self.size : (x + 1) * self.size, c]


def _naive_lenet5() -> Network:
    """LeNet-5 with the same weights, and loops for its convolutions and poolings."""
    network = lenet5(INPUT_SHAPE, CLASSES)
    for layer in network.chain.values():
        if isinstance(layer, layers.Conv2D):
            layer.__class__ = _NaiveConv2D
        if isinstance(layer, layers.MaxPool):
            layer.__class__ = _NaiveMaxPool
    return network


def _epoch_of(who: str, images: Array, targets: Array, batch_size: int) -> Epoch:
    """A function that trains one epoch: "numpy", or "keras" in the loop that holds no second copy of the images."""
    if who == "keras":
        return _train_on_batch(images, targets, batch_size)
    network, optimizer = lenet5(INPUT_SHAPE, CLASSES), SGD(MOMENTUM)

    def epoch() -> None:
        for batch in _batches(len(images), batch_size):
            network.loss_and_gradients(images[batch], targets[batch])
            optimizer.update(network.parameters(), network.gradients(), LEARNING_RATE)

    return epoch


def _fastest_keras_epoch(images: Array, targets: Array, batch_size: int) -> tuple[str, Epoch]:
    """The name of the fastest of Keras's loops on a few batches, and an epoch of it."""
    few = 40 * batch_size
    seconds = {}
    for name, loop in KERAS_LOOPS.items():
        epoch = loop(images[:few], targets[:few], batch_size)
        epoch()
        seconds[name] = _seconds(epoch, repeats=3)
    fastest = min(seconds, key=lambda name: seconds[name])
    epoch = KERAS_LOOPS[fastest](images, targets, batch_size)
    epoch()
    return fastest, epoch


def _keras_model() -> Any:
    from pipeline.models.networks.quiet_keras import keras

    model = keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            keras.layers.Conv2D(6, 5),
            keras.layers.MaxPooling2D(2),
            keras.layers.Activation("relu"),
            keras.layers.Conv2D(16, 5),
            keras.layers.MaxPooling2D(2),
            keras.layers.Activation("relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(120, activation="relu"),
            keras.layers.Dense(84, activation="relu"),
            keras.layers.Dense(CLASSES),
        ]
    )
    model.compile(
        keras.optimizers.SGD(LEARNING_RATE, MOMENTUM),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def _fit(images: Array, targets: Array, batch_size: int) -> Epoch:
    model = _keras_model()
    return lambda: model.fit(images, targets, batch_size, shuffle=False, verbose=0)


def _train_on_batch(images: Array, targets: Array, batch_size: int) -> Epoch:
    model = _keras_model()

    def epoch() -> None:
        for batch in _batches(len(images), batch_size):
            model.train_on_batch(images[batch], targets[batch])

    return epoch


def _compiled_step(images: Array, targets: Array, batch_size: int) -> Epoch:
    import tensorflow as tf

    step = tf.function(_keras_step(_keras_model()))

    def epoch() -> None:
        for batch in _batches(len(images), batch_size):
            step(images[batch], targets[batch]).numpy()

    return epoch


def _compiled_epoch(images: Array, targets: Array, batch_size: int) -> Epoch:
    import tensorflow as tf

    step = _keras_step(_keras_model())
    all_images, all_targets = tf.constant(images), tf.constant(targets)

    @tf.function
    def epoch() -> Any:
        loss = tf.constant(0.0)
        for start in tf.range(0, len(images) - batch_size + 1, batch_size):
            loss += step(all_images[start : start + batch_size], all_targets[start : start + batch_size])
        return loss

    return lambda: epoch().numpy()


def _keras_step(model: Any) -> Callable[[Any, Any], Any]:
    import tensorflow as tf

    def step(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.loss(targets, model(images, training=True))
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


KERAS_LOOPS = {
    "fit": _fit,
    "train_on_batch": _train_on_batch,
    "compiled step": _compiled_step,
    "compiled epoch": _compiled_epoch,
}


def _data(n: int) -> tuple[Array, Array]:
    """Images, (n, 32, 32, 3), and one-hot targets, (n, classes)."""
    rng = np.random.default_rng(0)
    targets = np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, n)]
    return rng.random((n, *INPUT_SHAPE), dtype=np.float32), targets


def _batches(n: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, n, size)]


def _seconds(function: Callable[[], Any], repeats: int = 1) -> float:
    """Median seconds of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _peak_memory_mib() -> float:
    """Of this process; `resource` would count what its parent held when it started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def _print(results: dict[str, Any]) -> None:
    for size, row in results["epoch_seconds"].items():
        print(
            f"batch {size}: NumPy {statistics.median(row['numpy']):.2f} s an epoch, "
            f"Keras ({row['keras_loop']}) {statistics.median(row['keras']):.2f} s, "
            f"ratio {row['ratio']:.2f} ({row['ratio_lowest']:.2f} to {row['ratio_highest']:.2f})"
        )
    for size, row in results["peak_memory_mib"].items():
        print(f"batch {size}: peak memory NumPy {row['numpy']:.0f} MiB, Keras {row['keras']:.0f} MiB")
    naive = results["naive_loops"]
    print(
        f"gradients of {naive['images']} images: {naive['factor']:.0f} times as fast as loops, {naive['naive']:.2f} s"
    )
    for size, rows in results["layers"].items():
        print(f"\nbatch {size}: microseconds of each layer, forward and backward")
        for name, ways in rows.items():
            print(f"{name:18} {ways.get('forward', 0):6.0f} {ways.get('backward', 0):6.0f}")
        print(f"{'sum':18} {sum(sum(ways.values()) for ways in rows.values()):6.0f}")
    for size, rows in results["matrix_products"].items():
        print(f"\nbatch {size}: microseconds of matrix products, of plain matmuls of their sizes, GFLOP/s")
        for row in rows:
            print(f"{row['shape']:38} {row['microseconds']:6.0f} {row['plain_microseconds']:6.0f} {_gflops(row):6.0f}")
        total = {key: sum(row[key] for row in rows) for key in ("microseconds", "plain_microseconds", "gflop")}
        print(f"{'sum':38} {total['microseconds']:6.0f} {total['plain_microseconds']:6.0f} {_gflops(total):6.0f}")


def _gflops(row: dict[str, Any]) -> float:
    """GFLOP/s, counting a multiplication and an addition as two."""
    return row["gflop"] / row["microseconds"] * 1e6


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="file for the results as JSON")
    parser.add_argument("--images", type=int, default=20_000, help="images an epoch")
    parser.add_argument("--repeats", type=int, default=5, help="epochs of each")
    parser.add_argument("--naive-images", type=int, default=32, help="batch for the loops")
    parser.add_argument("--child", choices=("numpy", "keras"), help=argparse.SUPPRESS)
    parser.add_argument("--batch-size", type=int, default=32, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
