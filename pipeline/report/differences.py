"""The options in which trainings differ."""

import dataclasses

from pipeline.config import TrainConfig, check_value, fields_of
from pipeline.errors import UserError
from pipeline.report.wording import NONE
from pipeline.tracking import StoredRun


def differing(runs: list[StoredRun]) -> dict[str, dict[str, str]]:
    """Option -> run id -> value, in the order of the help, for the options that do not have one value in all runs."""
    found = {}
    for each in fields_of(TrainConfig):
        values = {run.id: _value(each, run.params[each.name]) for run in runs if each.name in run.params}
        if each.metadata["identifies"] and len(set(values.values())) > 1:
            found[each.name] = {run.id: values.get(run.id, NONE) for run in runs}
    return found


def _value(option: dataclasses.Field, text: str) -> str:
    """The value in one spelling: `mlflow run` logs 1e-3 as it was typed."""
    if not text:
        return NONE
    try:
        value = check_value(option, text)
    except UserError:
        return text
    return f"{value:.4g}" if isinstance(value, float) else str(value)
