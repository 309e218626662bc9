"""A study goes on in a new run: what dead processes left is closed, what was finished comes along."""

import optuna

from pipeline import tracking
from pipeline.config import SearchConfig
from pipeline.search.outcomes import FAILED, settle_all_running
from pipeline.search.study import PARENT, study_tags
from pipeline.search.trials import state_tags
from pipeline.search.view import trial_rows
from pipeline.tracked.delivery import deliver_all


def take_over(study: optuna.Study, run: tracking.Run, parent: str | None, config: SearchConfig) -> None:
    """Make `run` the one run of the study: close what runs without a process, and nest all trials here.

    parent: the run that `run` itself is nested in.
    """
    settle_all_running(study, config.epochs, tracking.DIED)
    deliver_all(config.workdir, study.study_name)
    ours = {run.id, parent}
    _close_abandoned(study, config, ours)
    for trial in tracking.find(study_tags(config) | {"stage": "trial"}):
        tracking.handle_of(trial.id).nest_in(run.id)
    if before := study.user_attrs.get(PARENT):
        tracking.hand_over(before, run.id)
    study.set_user_attr(PARENT, run.id)


def _close_abandoned(study: optuna.Study, config: SearchConfig, ours: set[str | None]) -> None:
    """Close the study's runs that are RUNNING, and say of each trial what Optuna knows of it."""
    known = {row["run_id"]: {"state": row["state"], "reason": row["reason"]} for row in trial_rows(study)}
    for found in tracking.find(study_tags(config)):
        if found.id in ours:
            continue
        is_trial = found.tags.get("stage") == "trial"
        if is_trial and "optuna.state" not in found.tags:
            ended = known.get(found.id, {"state": FAILED, "reason": tracking.DIED})
            tracking.close(found.id, "KILLED" if ended["state"] == FAILED else "FINISHED", state_tags(**ended))
        elif found.status == "RUNNING":
            tracking.close(found.id, "KILLED", {"error": tracking.DIED})
