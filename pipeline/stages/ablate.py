"""A ladder from one configuration to another, one change a rung."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import config as options
from pipeline import models, process, tracking
from pipeline.ablation import figures
from pipeline.ablation.effects import effects, sentences
from pipeline.ablation.ladder import ALONE, CLIMB, DATA, START, WITHOUT, Change, Rung, changes, read_groups, rungs
from pipeline.config import AblateConfig, TrainConfig
from pipeline.errors import UserError
from pipeline.stages.train import train_once
from pipeline.tracked_training import log_options

OWN = "own"
# Tags: which ladder a run climbs, and the process that does.
LADDER, OWNER = "ladder", "owner"


def ablate(config: AblateConfig) -> str:
    """Train every rung between two configurations, with several seeds, and say which changes mattered.

    A rung and seed that an earlier ladder has trained is not trained again. Returns the id of the run.
    Raises UserError if the ends cannot be had, do not differ, or the start itself cannot be trained.
    """
    start, goal = _ends(config)
    found = changes(start, goal, read_groups(config.groups))
    readings = (ALONE, WITHOUT) if config.alone_seeds else ()
    ladder = rungs(start, found, readings)
    same = {"stage": "ablate", LADDER: f"{options.digest(start)} {options.digest(goal)} {start.data}"}
    tags = same | {OWNER: json.dumps(process.myself())}
    with tracking.run("ablate", f"ablate {config.start} to {config.goal}", tags=tags) as run:
        _close_abandoned(run, same)
        log_options(run, dataclasses.replace(config, **{name: getattr(start, name) for name in (*DATA, "epochs")}))
        print(f"{len(found)} changes from {config.start} to {config.goal}, {start.epochs} epochs a training:")
        for change in found:
            print(f"  {change.name}: {change.describe()}")
        results = pd.DataFrame(_train_all(ladder, config, run))
        _log(run, results, found)
    return run.id


def _ends(config: AblateConfig) -> tuple[TrainConfig, TrainConfig]:
    """Both ends of the ladder, on the same data and with the same budget, whatever each alone would take."""
    if config.preset or config.config:
        raise UserError("--preset and --config are of one training; --start and --goal take what they would")
    start, goal = (_end(config, which) for which in (config.start, config.goal))
    if "model" in config.given and "model" in start.given and "model" in goal.given:
        raise UserError(f"--model {config.model}: both --start {config.start} and --goal {config.goal} say theirs")
    common = {name: _in_common(name, config, start, goal) for name in DATA}
    common["epochs"] = config.epochs if "epochs" in config.given else goal.epochs
    return dataclasses.replace(start, **common), dataclasses.replace(goal, **common)


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
    return options.resolve("train", values, recipe_of=models.recipe, config_of_run=tracking.config_of)


def _in_common(name: str, config: AblateConfig, start: TrainConfig, goal: TrainConfig) -> Any:
    """The value of an option of the data: as typed, or as an end says it."""
    if name in config.given:
        return getattr(config, name)
    said = [getattr(end, name) for end in (start, goal) if name in end.given]
    if said and said[0] != said[-1]:
        raise UserError(f"--start has {name} {said[0]} and --goal {said[-1]}; --{name} says which is meant")
    return said[0] if said else getattr(config, name)


def _close_abandoned(run: tracking.Run, same: dict[str, str]) -> None:
    """Close the runs of the same ladder that a process which is no more has left RUNNING."""
    for found in tracking.find(same, "RUNNING"):
        if found.id != run.id and process.is_dead(json.loads(found.tags[OWNER])):
            tracking.succeed(found.id, run.id)


def _train_all(ladder: list[Rung], config: AblateConfig, run: tracking.Run) -> Iterator[dict]:
    """One row a training: reading, change, seed, val_accuracy, run_id, reason (why it could not be trained)."""
    trainings = [
        (rung, seed)
        for rung in ladder
        for seed in range(config.seed, config.seed + (config.seeds if rung.reading == CLIMB else config.alone_seeds))
    ]
    for number, (rung, seed) in enumerate(trainings, 1):
        print(f"{number} of {len(trainings)}: {rung.reading} {rung.change}, seed {seed}")
        yield {"reading": rung.reading, "change": rung.change, "seed": seed} | _trained(rung, seed, run)


def _trained(rung: Rung, seed: int, run: tracking.Run) -> dict:
    """The outcome of a rung with one seed, found again by its configuration if it was trained before."""
    config = dataclasses.replace(rung.config, seed=seed)
    try:
        run_id = train_once(config, run.id, {}, "rung", f"{rung.reading} {rung.change}, seed {seed}")
    except tracking.RunUnavailableError:
        raise
    except UserError as error:
        if rung.change == START:
            raise
        print(f"{rung.reading} {rung.change} cannot be trained: {error}")
        return {"val_accuracy": None, "run_id": None, "reason": str(error)}
    return {"val_accuracy": tracking.metrics_of(run_id)["best_val_accuracy"], "run_id": run_id, "reason": ""}


def _log(run: tracking.Run, results: pd.DataFrame, found: list[Change]) -> None:
    names = [change.name for change in found]
    means = results[results["reading"] == CLIMB].groupby("change")["val_accuracy"].mean().reindex([START, *names])
    table = effects(results, names)
    said = sentences(table, means.iloc[0], means.iloc[-1])
    run.log_table("rungs", results)
    run.log_table("effects", table)
    run.log_figure("waterfall", figures.waterfall(means, table, said[0]))
    run.log_metrics({"start_val_accuracy": means.iloc[0], "goal_val_accuracy": means.iloc[-1]})
    run.set_tags({tracking.DESCRIPTION: "\n\n".join(said)})
    print("\n".join(said))
    print(f"  {tracking.run_address(run)}")
