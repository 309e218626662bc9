"""What is asked: the training that is diagnosed, and its data in figures."""

import dataclasses
from typing import Any

import numpy as np

from pipeline import config as options
from pipeline import models, tracking
from pipeline.config import DiagnoseConfig, PreprocessConfig, TrainConfig, Values
from pipeline.data.prepared import Prepared
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.detail import detail_side
from pipeline.training.network_spec import image_sizes

# Images that are looked at for their detail.
LOOKED_AT = 200
# Where options come from that are then those of the training itself.
LAYERS = ("preset", "config")
SCORE = "best_val_accuracy"


def training_of(config: DiagnoseConfig) -> tuple[TrainConfig, Values]:
    """The training that is diagnosed, and the options that repeat it when they are typed.

    It is that of run_id with what is typed on top; without a run, what is typed, on top of the model's recipe, of which
    what follows the number of training images is undecided. It never stops early and never opens the test split. Raises
    UserError if there is no such run.
    """
    names = {each.name for each in options.fields_of(TrainConfig)} - {*LAYERS, "workdir", "resume"}
    typed = {name: getattr(config, name) for name in config.given if name in names}
    layers = {name: getattr(config, name) for name in LAYERS if getattr(config, name)}
    if config.run_id:
        layers = {"config": config.run_id}
    under = {name: typed[name] for name in ("model", "data") if name in typed and not layers}
    whole, base = _resolved(layers | typed | {"workdir": str(config.workdir)}), _resolved(layers | under)
    alike = {name for name, value in typed.items() if value == getattr(base, name)} - base.undecided - under.keys()
    differing = {name: value for name, value in typed.items() if name not in alike}
    training: TrainConfig = options.part(whole, TrainConfig)
    alone = dataclasses.replace(training, patience=0, test_each_epoch=False, preset=None, config=None, resume="never")
    return alone, layers | differing


def _resolved(values: Values) -> Any:
    return options.resolve(
        "train", values, recipe_of=models.recipe, config_of_run=tracking.config_of, following_of=models.following
    )


def case_of(training: TrainConfig, data: Prepared, config: DiagnoseConfig) -> Case:
    """The case at its full length, with all of its images."""
    train = data["train"]
    some = train.images[:: -(-len(train.labels) // LOOKED_AT)]
    looked = data.quality()
    sides = None if looked is None else looked[["width", "height"]].min(axis=1)
    return Case(
        config=training,
        epochs=training.epochs,
        fraction=1.0,
        seeds=config.seeds,
        class_names=data.facts.class_names,
        counts=data.facts.counts["train"],
        val_images=sum(data.facts.counts["val"]),
        seen_side=image_sizes(training, data.facts).seen,
        detail_side=detail_side(np.asarray(some)),
        picture_side=None if sides is None else float(sides.median()),
        leaking=leaking(data),
        network=_other_network(training),
        full_accuracy=tracking.metrics_of(config.run_id).get(SCORE) if config.run_id else None,
    )


def leaking(data: Prepared) -> frozenset[str]:
    """The paths of validation images that have an equal file, a near-duplicate or their group in train."""
    table, looked = data.manifest(), data.quality()
    val, train = table[table["split"] == "val"], table[table["split"] == "train"]
    found = set(val.loc[val["content"].isin(set(train["content"])), "path"])
    if "group" in table:
        found |= set(val.loc[val["group"].isin(set(train["group"]) - {""}), "path"])
    if looked is not None:
        near = looked[(looked["split"] == "val") & (looked["near_split"] == "train")]
        found |= set(near["path"])
    return frozenset(found)


def _other_network(training: TrainConfig) -> Values:
    """The options of the default network, at the size that it likes; none where it is the one that is diagnosed."""
    other = TrainConfig.model
    if training.model == other:
        return {}
    recipe = models.recipe(other)
    of_network = [each.name for each in options.fields_of(TrainConfig) if each.metadata["group"] == "network"]
    values: Values = {name: recipe.get(name) for name in of_network if name in recipe}
    scale = recipe["image_size"] / training.image_size
    scales = {name: min(1.0, round(recipe[name] * scale, 3)) for name in ("input_scale", "initial_scale")}
    return {"model": other, "weights": "none"} | values | scales


def data_config_of(training: TrainConfig) -> PreprocessConfig:
    """The options of the data of a training."""
    prepared: PreprocessConfig = options.part(training, PreprocessConfig)
    return prepared
