"""Weights that a network begins with, from a training of something else."""

from pathlib import Path

from pipeline.errors import UserError, first_line, shown
from pipeline.models.networks.published_weights import Published, published_body
from pipeline.models.networks.quiet_keras import keras
from pipeline.paths import is_file, path_of

NONE, IMAGENET = "none", "imagenet"


def check(name: str, weights: str, published: Published | None, size: int) -> None:
    """Have the weights that a network is to begin with at hand; published ones are downloaded now.

    size: the side of the images that it takes. Raises UserError as `give` does, but for what is in a file.
    """
    if weights == IMAGENET:
        _published(name, published, (size, size, 3))
    else:
        _file(weights)


def give(core: keras.Model, weights: str, published: Published | None) -> None:
    """Give the body of `core`, which is all of it but the last layer, the weights that `weights` names.

    weights: imagenet (those that Keras publishes), a .keras file of a network of the same architecture, or an .h5 file
    of its body's weights. Raises UserError if they cannot be read or downloaded, or are another network's.
    """
    body = body_of(core)
    if weights == IMAGENET:
        body.set_weights(_published(core.name, published, body.input_shape[1:]).get_weights())
        return
    path = _file(weights)
    if path.suffix == ".keras":
        _give_saved(body, core.name, path)
    else:
        _give_h5(body, core.name, path)


def _file(weights: str) -> Path:
    path = path_of(weights)
    if not is_file(weights):
        raise UserError(
            f"--weights {shown(str(path))}: no such file; none, imagenet or a .keras or .h5 file is allowed"
        )
    if path.suffix not in (".keras", ".h5"):
        raise UserError(f"--weights {path}: a .keras or .h5 file is expected")
    return path


def body_of(core: keras.Model) -> keras.Model:
    """All of a builder's model but its last layer."""
    return keras.Model(core.input, core.layers[-1].input)


def _published(name: str, published: Published | None, input_shape: tuple[int, int, int]) -> keras.Model:
    if published is None:
        raise UserError(f"--weights imagenet: {name} has none; a file of a network trained here can be given")
    return published_body(published, input_shape)


def _give_saved(body: keras.Model, name: str, path: Path) -> None:
    try:
        # Safe mode refuses a file that brings code.
        saved = keras.models.load_model(path, compile=False, safe_mode=True)
        cores = [layer for layer in saved.layers if isinstance(layer, keras.Model)]
        theirs = {layer.name: layer.get_weights() for layer in (cores[0] if cores else saved).layers}
    except Exception as error:  # Keras has many for a file that is none of its own
        raise UserError(f"--weights {path} is no .keras file: {shown(first_line(error))}") from error
    for layer in body.layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes and [weight.shape for weight in theirs.get(layer.name, [])] != shapes:
            raise UserError(f"--weights {path} holds no layer {layer.name} like that of {name}")
    for layer in body.layers:
        if layer.weights:
            layer.set_weights(theirs[layer.name])


def _give_h5(body: keras.Model, name: str, path: Path) -> None:
    try:
        body.load_weights(path)
    except Exception as error:  # Keras has many for a file that is none of its own
        raise UserError(f"--weights {path} does not fit {name}: {shown(first_line(error))}") from error
