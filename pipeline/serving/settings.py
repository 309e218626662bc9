"""What whoever loads or serves a model may set: the entry `serving` of MLflow's `model_config`."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlflow.exceptions import MlflowException

# MLflow's server says so to what it loads, and so does the check of a model that is being logged.
_SERVED = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"


@dataclass(frozen=True)
class Settings:
    """mirror_predict: whether an answer is the mean of an image's and its mirror image's. unsure_below: the probability
    from 0 to 1 below which an answer is marked; 0 marks none and leaves the column out; auto: the lowest at which the
    model's answers to the validation images had the wanted_accuracy, from 0 to 1.

    Of one request to a server: max_rows: images. max_seconds: for reading them. max_pixels: of one image, as it is
    decoded.
    """

    mirror_predict: bool = False
    unsure_below: float | str = 0.0
    wanted_accuracy: float = 0.95
    max_rows: int = 256
    max_seconds: float = 30.0
    max_pixels: int = 50_000_000


KEY = "serving"
AUTO = "auto"
FRACTIONS = ("unsure_below", "wanted_accuracy")
USUAL: dict[str, Any] = asdict(Settings())


def settings_of(model_config: Mapping[str, Any] | None) -> Settings:
    """The settings in `model_config`, else the usual ones. Raises MlflowException if one is not allowed."""
    given = (model_config or {}).get(KEY) or {}
    if unknown := [name for name in given if name not in USUAL]:
        raise MlflowException(f"model_config: {KEY} has no {unknown[0]}; it has {', '.join(USUAL)}")
    values = USUAL | dict(given)
    for name, value in values.items():
        if (name, value) != ("unsure_below", AUTO):
            _check(name, value)
    return Settings(**values)


def _check(name: str, value: Any) -> None:
    is_flag = name == "mirror_predict"
    if isinstance(value, bool) != is_flag or not isinstance(value, int | float):
        raise MlflowException(f"model_config: {name} has to be {'true or false' if is_flag else 'a number'}")
    if name in FRACTIONS and not 0 <= value <= 1:
        raise MlflowException(f"model_config: {name} has to be a number from 0 to 1")
    if name.startswith("max_") and value <= 0:
        raise MlflowException(f"model_config: {name} has to be more than 0")


def is_served() -> bool:
    """Whether what is asked comes over MLflow's server, from anyone."""
    return os.environ.get(_SERVED, "").lower() == "true"
