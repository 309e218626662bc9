"""The two configurations between which a ladder climbs."""

import dataclasses
from typing import Any

from pipeline import config as options
from pipeline import models, tracking
from pipeline.ablation.ladder import DATA
from pipeline.config import AblateConfig, PreprocessConfig, TrainConfig
from pipeline.errors import UserError
from pipeline.tracked.data import ensure_prepared
from pipeline.training.recipe import for_data

OWN = "own"


def ends(config: AblateConfig) -> tuple[TrainConfig, TrainConfig]:
    """Both ends of the ladder, on the same data and with the same budget, whatever each alone would take.

    Raises UserError if one of them cannot be found, or if they do not agree on the data.
    """
    if config.preset or config.config:
        raise UserError("--preset and --config are of one training; --start and --goal take what they would")
    start, goal = (_end(config, which) for which in (config.start, config.goal))
    if "model" in config.given and "model" in start.given and "model" in goal.given:
        raise UserError(f"--model {config.model}: both --start {config.start} and --goal {config.goal} say theirs")
    common = {name: _in_common(name, config, start, goal) for name in DATA}
    common["epochs"] = config.epochs if "epochs" in config.given else goal.epochs
    return dataclasses.replace(start, **common), dataclasses.replace(goal, **common)


def for_their_data(
    config: AblateConfig, start: TrainConfig, goal: TrainConfig, parent: str
) -> tuple[AblateConfig, TrainConfig, TrainConfig]:
    """All three with nothing undecided, the first with what both ends have in common.

    Where the recipe of an end leaves something to the number of training images, they are prepared, in a run nested in
    `parent` if they are not yet.
    """
    if start.undecided | goal.undecided:
        facts = ensure_prepared(options.part(goal, PreprocessConfig), parent).facts
        config, start, goal = for_data(config, facts), for_data(start, facts), for_data(goal, facts)
    common: dict[str, Any] = {name: getattr(goal, name) for name in (*DATA, "epochs")}
    config = dataclasses.replace(config, **common, undecided=frozenset())
    return config, dataclasses.replace(start, epochs=goal.epochs), goal


def _end(config: AblateConfig, which: str) -> TrainConfig:
    """One end of the ladder: a preset, a config.yaml, a run, or the model's own recipe, with what was typed on top."""
    source = {} if which == OWN else {"preset": which} if which in options.PRESETS else {"config": which}
    names = {field.name for field in options.fields_of(TrainConfig)} - {"model"}
    typed = {name: getattr(config, name) for name in config.given if name in names}
    typed["workdir"] = str(config.workdir)
    end = _resolved(source | typed)
    if "model" in config.given and "model" not in end.given:
        end = _resolved(source | typed | {"model": config.model})
    return dataclasses.replace(options.part(end, TrainConfig), preset=None, config=None)


def _resolved(values: options.Values) -> options.Config:
    return options.resolve(
        "train", values, recipe_of=models.recipe, config_of_run=tracking.config_of, following_of=models.following
    )


def _in_common(name: str, config: AblateConfig, start: TrainConfig, goal: TrainConfig) -> Any:
    """The value of an option of the data: as typed, or as an end says it."""
    if name in config.given:
        return getattr(config, name)
    said = [getattr(end, name) for end in (start, goal) if name in end.given]
    if said and said[0] != said[-1]:
        raise UserError(f"--start has {name} {said[0]} and --goal {said[-1]}; --{name} says which is meant")
    return said[0] if said else getattr(config, name)
