"""What tests build networks from."""

from pipeline.data.preprocessing import Preprocessing
from pipeline.models.networks.contract import NetworkSpec


def network_spec(size: int = 32, mean: float = 110.0, deviation: float = 60.0, **changes) -> NetworkSpec:
    """A specification of a small network of four classes that sees images of `size` pixels."""
    values = {
        "preprocessing": Preprocessing(size, size, "stretch", (mean,) * 3, (deviation,) * 3),
        "classes": 4,
        "hyperparameters": {},
        "optimizer": "sgd",
        "weight_decay": 1e-3,
        "precision": "float32",
        "seed": 0,
        "deterministic": True,
    }
    return NetworkSpec(**(values | changes))
