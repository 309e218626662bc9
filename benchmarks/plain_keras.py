"""What a plain Keras script comes to on the same images: `python -m benchmarks.plain_keras --data FOLDER`.

A yardstick: layers and settings as in Keras's own guide to image classification, nothing tuned.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers


def split(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The images, (n, 64, 64, 3), and labels, (n,), that `name`.txt in the folder lists, one `path label` a line."""
    paths, labels = zip(*(line.split() for line in (folder / f"{name}.txt").read_text().splitlines()), strict=True)
    images = [keras.utils.img_to_array(keras.utils.load_img(folder / path, target_size=(64, 64))) for path in paths]
    return np.stack(images), np.array(labels, int)


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--epochs", type=int, default=20)
arguments = parser.parse_args()
keras.utils.set_random_seed(0)
train, validation, test = (split(arguments.data, name) for name in ("train", "val", "test"))

model = keras.Sequential([keras.Input((64, 64, 3)), layers.Rescaling(1 / 255), layers.RandomFlip("horizontal")])
for filters in (32, 64, 128, 256):
    model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(layers.MaxPooling2D())
model.add(layers.Flatten())
model.add(layers.Dropout(0.5))
model.add(layers.Dense(50, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

best = keras.callbacks.ModelCheckpoint(
    "plain_keras.weights.h5", "val_accuracy", save_best_only=True, save_weights_only=True
)
start = time.perf_counter()
history = model.fit(
    *train, batch_size=64, epochs=arguments.epochs, validation_data=validation, callbacks=[best], verbose=2
)
seconds = time.perf_counter() - start
model.load_weights("plain_keras.weights.h5")
print(
    f"{seconds:.0f} s, {model.count_params():,} parameters, validation {max(history.history['val_accuracy']):.2%}, "
    f"test {model.evaluate(*test, verbose=0)[1]:.2%}"
)
