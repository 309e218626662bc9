"""What identifies a run: the values that are logged, and the names made of them."""

import hashlib
import json

from pipeline.config.declarations import Config, PreprocessConfig, TrainConfig, Values, fields_of
from pipeline.config.references import short_name


def identity(config: Config) -> Values:
    """The values that say what a run is: what is logged, and what config.yaml holds."""
    return {field.name: getattr(config, field.name) for field in fields_of(config) if field.metadata["identifies"]}


def recipe_of_training(config: TrainConfig) -> Values:
    """What is trained, but for the data: that is known by its own digest, wherever it lies and however it was split."""
    of_data = {field.name for field in fields_of(config) if field.metadata["group"] == "data"}
    return {name: value for name, value in identity(config).items() if name not in of_data}


def digest(config: TrainConfig) -> str:
    """A short name of what is trained, the data apart: equal for equal trainings."""
    text = json.dumps(recipe_of_training(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_name(config: PreprocessConfig) -> str:
    """What a person calls the data: the name of its folder or file, or of the data set in its library."""
    return short_name(config.data)
