"""Grad-CAM: what of an image spoke for a class (Selvaraju et al. 2017)."""

import numpy as np

from pipeline.models.networks.quiet_keras import keras


def heat_maps(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """The maps of the last convolutional layer, weighted by how they raise the score of a class.

    model: from pixels, through one inner model that ends in logits. images: (n, size, size, 3) uint8. classes: (n,),
    one for each image. Returns (n, height, width), each scaled to 0 to 1; None if no layer has maps of more than a
    pixel, or if Keras runs on another backend than TensorFlow.
    """
    core = next((layer for layer in model.layers if isinstance(layer, keras.Model)), None)
    layer = _last_with_maps(core) if core else None
    if core is None or layer is None or keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    pixels = _before(model, core, images)
    both = keras.Model(core.inputs, [layer.output, core.outputs[0]])
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        maps, scores = both(pixels, training=False)
        chosen = tf.reduce_sum(tf.gather(scores, classes, axis=1, batch_dims=1))
    slopes = tape.gradient(chosen, maps)
    maps, slopes = (keras.ops.convert_to_numpy(keras.ops.cast(each, "float32")) for each in (maps, slopes))
    heat = np.maximum((maps * slopes.mean(axis=(1, 2), keepdims=True)).sum(axis=3), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny)


def _last_with_maps(core: keras.Model) -> keras.layers.Layer | None:
    for layer in reversed(core.layers):
        shape = getattr(layer.output, "shape", ())
        if len(shape) == 4 and None not in shape[1:3] and min(shape[1:3]) > 1:
            return layer
    return None


def _before(model: keras.Model, core: keras.Model, images: np.ndarray):
    """The images behind all layers of `model` that come before `core`."""
    outputs = keras.ops.convert_to_tensor(images, "float32")
    for layer in model.layers[: model.layers.index(core)]:
        if not isinstance(layer, keras.layers.InputLayer):
            outputs = layer(outputs)
    return outputs
