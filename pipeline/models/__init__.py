"""From hyperparameters to a network: one file in `architectures` a model, found by its file name."""

import importlib
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.models.networks.contract import Network, NetworkSpec


def recipe(name: str) -> dict[str, Any]:
    """The options that the model `name` trains well with, its own hyperparameters among them.

    Raises UserError if its file holds no model of that name, or one with an argument that no option sets.
    """
    return dict(_architecture(name).recipe)


def trial_budget(name: str) -> dict[str, Any]:
    """The epochs and the image_size, if it names any, at which the model's hyperparameters can be compared."""
    search = _architecture(name).search
    return {option: search[option] for option in ("epochs", "image_size") if option in search}


def following(name: str) -> frozenset[str]:
    """The options of the model's recipe that follow the number of training images."""
    return frozenset(for_images(name, 1, 1))


def for_images(name: str, images: int, epochs: int, **given: int) -> dict[str, Any]:
    """What the model's recipe says otherwise for so many training images.

    epochs: what it says for many. given: batch_size, where that is given.
    """
    few_images = _architecture(name).few_images
    return few_images(images, epochs, **given) if few_images else {}


def ranges(name: str) -> dict[str, tuple[int, int]]:
    """Hyperparameter -> the lowest and the highest value that the model thinks worth a trial."""
    search = _architecture(name).search
    return {option: search[option] for option in ("depth", "width") if option in search}


def build(name: str, spec: NetworkSpec) -> Network:
    """A new network, its weights drawn from the seed.

    Raises UserError if the model cannot be built of these hyperparameters at this image size.
    """
    architecture = _architecture(name)
    for option in spec.hyperparameters:
        if option not in architecture.recipe:
            raise UserError(f"--{option}: the model {name} has no such option")
    return architecture(spec)


def check_weights(name: str, weights: str, size: int) -> None:
    """Have the weights that a network is to begin with at hand, before much is done for it.

    weights: none, imagenet (downloaded now) or a file. size: the side of the images that the network takes. Raises
    UserError if there are none.
    """
    if weights == "none":
        return
    architecture = _architecture(name)
    if hasattr(architecture, "published"):
        from pipeline.models.networks import given_weights

        given_weights.check(name, weights, architecture.published, size)


def load(path: Path) -> Network:
    """The network in a file that `Network.save` wrote."""
    if path.suffix == ".npz":
        from pipeline.models.networks.numpy_network import NumpyNetwork

        return NumpyNetwork.load(path)
    from pipeline.models.networks.keras_network import KerasNetwork

    return KerasNetwork.load(path)


def _architecture(name: str) -> Any:
    from pipeline.config import model_names

    if name in model_names.applications():
        from pipeline.models.networks.keras_application import keras_application

        return keras_application(name)
    function = name.replace("-", "_")
    module = importlib.import_module(f"{__name__}.architectures.{function}")
    found = getattr(module, function, None)
    if not hasattr(found, "builder"):
        raise UserError(
            f"{module.__file__}: a function {function} decorated with keras_model or numpy_model is expected"
        )
    return found
