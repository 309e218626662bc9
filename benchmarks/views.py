"""What a trained Keras model gains from seeing images mirrored too, or at another size than it was trained for.

    python -m benchmarks.views --run RUN_ID --sizes 96 112

Scored on the validation images; the probabilities of an image and of its mirror image are averaged.
"""

import argparse
import dataclasses

import keras

from benchmarks.shared import prepared, train_config
from pipeline import tracking
from pipeline.metrics import accuracy
from pipeline.models.networks.contract import predict_prepared


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, metavar="RUN_ID")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="sides in pixels [default: its own]")
    arguments = parser.parse_args()
    val = prepared(train_config(tracking.config_of(arguments.run)))["val"]
    classifier = tracking.load_model(arguments.run, None).classifier
    _take_any_size(classifier.network.model)
    for size in arguments.sizes or [classifier.preprocessing.seen_size]:
        preprocessing = dataclasses.replace(classifier.preprocessing, seen_size=size)
        plain = predict_prepared(classifier.network, val.images, preprocessing)
        both = plain + predict_prepared(classifier.network, val.images[:, :, ::-1], preprocessing)
        print(f"{size} pixels: {accuracy(val.labels, plain):.2%}, mirrored too {accuracy(val.labels, both):.2%}")


def _take_any_size(model: keras.Model) -> None:
    model.input_spec = keras.layers.InputSpec(shape=(None, None, None, 3))
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _take_any_size(layer)


if __name__ == "__main__":
    main()
