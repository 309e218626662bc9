"""From hyperparameters to a network: one file an architecture, found by its file name."""

import importlib
from pathlib import Path
from typing import Any

from pipeline.models.networks.contract import Network, NetworkSpec


def recipe(name: str) -> dict[str, Any]:
    """The options that the model `name` trains well with, its own hyperparameters among them."""
    return dict(_architecture(name).recipe)


def build(name: str, spec: NetworkSpec) -> Network:
    """A new network, its weights drawn from the seed.

    Raises UserError if the model cannot be built of these hyperparameters at this image size.
    """
    return _architecture(name)(spec)


def load(path: Path) -> Network:
    """The network in a file that `Network.save` wrote."""
    if path.suffix == ".npz":
        from pipeline.models.networks.numpy_network import NumpyNetwork

        return NumpyNetwork.load(path)
    from pipeline.models.networks.keras_network import KerasNetwork

    return KerasNetwork.load(path)


def _architecture(name: str) -> Any:
    function = name.replace("-", "_")
    return getattr(importlib.import_module(f"{__name__}.{function}"), function)
