"""What a training step costs beside the arithmetic, and how near that comes to the machine's own matrix product.

    python -m benchmarks.training_step --data FOLDER --output FILE

Three things in turn, several times over, with nothing else running: a matrix product, bare steps of the default model
on a constant batch, and epochs of `mlflow run . -e train`'s own loop with augmentation, progress bar, checkpoints and
tracking, from the end of the first to the end of the last, so that what an epoch leaves to be written and sent is in
it. Validation and the building of graphs are not. The bare steps' images a second are the machine's pace, by which
training seconds of two machines can be compared.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.shared import prepared, provenance, train_config
from pipeline import models, tracking
from pipeline.config import TrainConfig
from pipeline.data.batches import Batch
from pipeline.data.prepared import Prepared
from pipeline.data.scaling import all_scaled
from pipeline.models.networks.keras_network import KerasNetwork
from pipeline.progress import TrainingProgress
from pipeline.tracked.fitting import fit_tracked
from pipeline.training.checkpoints import CheckpointWriter
from pipeline.training.fit import Callbacks, steps_per_epoch
from pipeline.training.network_spec import image_sizes, network_spec

PRODUCT_SIZE = 2048
STEPS = 100
EPOCHS = 3
# A step computes outputs, and the gradients of the weights and of the inputs: each as much again. A fixed first layer
# has outputs alone.
PASSES = 3


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="JSON file for the result")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", help="as train has it")
    parser.add_argument("--batch_size", help="as train has it")
    arguments = parser.parse_args()
    typed = {"precision": arguments.precision, "batch_size": arguments.batch_size}
    config = train_config({"data": arguments.data, "epochs": EPOCHS, "initial_scale": 1.0} | typed)
    data = prepared(config)
    network = models.build(config.model, network_spec(config, data))
    _bare_pace(network, data, config)
    rows = []
    for _ in range(arguments.repeats):
        rows.append(
            {
                "product_gflops": _product(config.precision),
                "bare_pace": _bare_pace(network, data, config),
                "tracked_pace": _tracked_pace(network, data, config),
            }
        )
        print(rows[-1])
    operations = _operations(network)
    shares = [operations * row["bare_pace"] / 1e9 / row["product_gflops"] for row in rows]
    ratios = [row["bare_pace"] / row["tracked_pace"] for row in rows]
    pace = [row["bare_pace"] for row in rows]
    print(f"a tracked, augmented step against a bare one: {_spread(ratios)}")
    print(f"a bare step's arithmetic against the matrix product in {config.precision}: {_spread(shares)}")
    print(f"pace: {_spread(pace, 0)} images a second of {operations / 1e6:.0f} MFLOP")
    result = {
        **provenance(),
        "precision": config.precision,
        "batch_size": config.batch_size,
        "rows": rows,
        "ratios": ratios,
        "shares": shares,
        "mflop_an_image": operations / 1e6,
    }
    arguments.output.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _product(precision: str) -> float:
    """The best of some products of two square matrices, in GFLOP/s."""
    import tensorflow as tf

    factor = tf.cast(tf.random.normal((PRODUCT_SIZE, PRODUCT_SIZE)), precision)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        tf.linalg.matmul(factor, factor).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * PRODUCT_SIZE**3 / min(seconds) / 1e9


def _bare_pace(network: KerasNetwork, data: Prepared, config: TrainConfig) -> float:
    """Images a second of STEPS steps on one and the same batch."""
    train, classes = data["train"], len(data.facts.class_names)
    labels = train.labels[: config.batch_size]
    images = all_scaled(np.array(train.images[: config.batch_size]), image_sizes(config, data.facts).seen)
    batch = Batch(images, np.eye(classes, dtype="f4")[labels], np.ones(len(labels), "f4"))
    start = time.perf_counter()
    fitted = network.fit_epoch([batch] * STEPS, [1e-3] * STEPS)
    return fitted.images / (time.perf_counter() - start)


def _tracked_pace(network: KerasNetwork, data: Prepared, config: TrainConfig) -> float:
    """Images a second of all epochs but the first, as `train` trains them."""
    count = len(data["train"].labels)
    progress = TrainingProgress(config.epochs, steps_per_epoch(count, config.batch_size), [])
    with tracking.run("benchmark", "training step") as run, tempfile.TemporaryDirectory() as folder:
        writer = CheckpointWriter(Path(folder))
        try:
            first, *others = fit_tracked(
                run, network, data, config, Callbacks(progress.epoch, progress.step, writer.save)
            ).epochs
        finally:
            writer.close()
            progress.close()
    apart = sum(epoch.val_seconds + epoch.compile_seconds for epoch in others)
    return count * len(others) / ((others[-1].time - first.time) / 1000 - apart)


def _operations(network: KerasNetwork) -> float:
    """Floating-point operations of a step on one image: two for each weight of each place of a map, each pass."""
    operations = 0
    for layer in network.core.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            places = int(np.prod(layer.output.shape[1:-1]))
            operations += (PASSES if layer.trainable else 1) * 2 * places * int(np.prod(kernel.shape))
    return operations


if __name__ == "__main__":
    main()
