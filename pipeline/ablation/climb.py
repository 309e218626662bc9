"""The rungs of a ladder trained, in the run of the ladder."""

import dataclasses
from collections.abc import Iterator

from pipeline import config as options
from pipeline import tracking
from pipeline.ablation.ladder import CLIMB, START, Rung
from pipeline.config import AblateConfig, TrainConfig
from pipeline.errors import UserError
from pipeline.tracked.training import train_once

# The tag that says which ladder a run climbs.
LADDER = "ladder"


def ladder_tags(start: TrainConfig, goal: TrainConfig) -> dict[str, str]:
    """The tags by which the runs of one and the same ladder are found."""
    return {"stage": "ablate", LADDER: f"{options.digest(start)} {options.digest(goal)} {start.data}"}


def close_abandoned(run: tracking.Run, same: dict[str, str]) -> None:
    """Close the runs of the same ladder that a process which is no more has left RUNNING."""
    for found in tracking.find(same, "RUNNING"):
        if found.id != run.id and tracking.is_abandoned(found):
            tracking.hand_over(found.id, run.id)


def train_all(ladder: list[Rung], config: AblateConfig, run: tracking.Run) -> Iterator[dict]:
    """One row per training: reading, change, seed, val_accuracy, run_id, reason (why it could not be trained)."""
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
    score = "cv_accuracy" if config.folds else "best_val_accuracy"
    return {"val_accuracy": tracking.metrics_of(run_id)[score], "run_id": run_id, "reason": ""}
