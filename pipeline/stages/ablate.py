"""A ladder from one configuration to another, one change a rung."""

import dataclasses
from collections.abc import Iterator

import pandas as pd

from pipeline import config as options
from pipeline import models, tracking
from pipeline.ablation import figures
from pipeline.ablation.effects import effects, sentences
from pipeline.ablation.ladder import ALONE, CLIMB, START, WITHOUT, Change, Rung, changes, read_groups, rungs
from pipeline.config import AblateConfig, TrainConfig
from pipeline.errors import UserError
from pipeline.stages.train import train_once
from pipeline.tracked_training import log_options

OWN = "own"


def ablate(config: AblateConfig) -> str:
    """Train every rung between two configurations, with several seeds, and say which changes mattered.

    A rung and seed that an earlier ladder has trained is not trained again. Returns the id of the run.
    Raises UserError if the ends cannot be had, do not differ, or the start itself cannot be trained.
    """
    start, goal = (_end(config, which) for which in (config.start, config.goal))
    found = changes(start, goal, read_groups(config.groups))
    readings = (ALONE, WITHOUT) if config.alone_seeds else ()
    ladder = rungs(start, found, readings)
    with tracking.run("ablate", f"ablate {config.start} to {config.goal}") as run:
        log_options(run, config)
        print(f"{len(found)} changes from {config.start} to {config.goal}:")
        for change in found:
            print(f"  {change.name}: {change.describe()}")
        results = pd.DataFrame(_train_all(ladder, config, run))
        _log(run, results, found)
    return run.id


def _end(config: AblateConfig, which: str) -> TrainConfig:
    """One end of the ladder: a preset, a config.yaml, a run, or the model's own recipe, with what was typed on top."""
    source = {} if which == OWN else {"preset": which} if which in options.PRESETS else {"config": which}
    names = {field.name for field in options.fields_of(TrainConfig)} - {"preset", "config", "model"}
    typed = {name: getattr(config, name) for name in config.given if name in names}
    if which == OWN and "model" in config.given:
        typed["model"] = config.model
    # An equal budget on all rungs, whatever the ends would take.
    typed |= {"epochs": config.epochs, "workdir": str(config.workdir), "data": config.data}
    end = options.resolve("train", source | typed, recipe_of=models.recipe, config_of_run=tracking.config_of)
    return dataclasses.replace(options.part(end, TrainConfig), preset=None, config=None)


def _train_all(ladder: list[Rung], config: AblateConfig, run: tracking.Run) -> Iterator[dict]:
    """One row a training: reading, change, seed, val_accuracy, run_id, reason (why it could not be trained)."""
    for rung in ladder:
        seeds = config.seeds if rung.reading == CLIMB else config.alone_seeds
        for seed in range(config.seed, config.seed + seeds):
            yield {"reading": rung.reading, "change": rung.change, "seed": seed} | _trained(rung, seed, run)


def _trained(rung: Rung, seed: int, run: tracking.Run) -> dict:
    """The outcome of a rung with one seed, found again by its configuration if it was trained before."""
    config = dataclasses.replace(rung.config, seed=seed)
    try:
        run_id = train_once(config, run.id, {}, "rung", f"{rung.reading} {rung.change}, seed {seed}")
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
