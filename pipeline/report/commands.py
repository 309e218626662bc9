"""The command that repeats a run."""

from pipeline.config import STAGES, fields_of
from pipeline.report.material import TRAINING_STAGES
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

# Stages whose runs hold a config.yaml that the same stage takes back.
WITH_CONFIG = ("search", "main")
# What says what an ablation is: all else that its run holds is of one of its ends alone.
OF_ABLATION = ("ablate", "data")
# The run that an evaluation or an export is of, which is not among its own options.
OF_RUN = ("evaluated_run", "exported_run")

DATA_OPTIONS = frozenset(each.name for each in fields_of(STAGES["preprocess"]))


def command_of(run: StoredRun) -> str | None:
    """The command line that repeats a run, with the same tracking store; None for a run of no known stage."""
    stage = run.tags.get("stage", "")
    if stage in TRAINING_STAGES:
        return command("train", config=run.id)
    if stage in WITH_CONFIG:
        return command(stage, config=run.id)
    if stage not in STAGES:
        return None
    of = next((run.params[name] for name in OF_RUN if name in run.params), None)
    return command(stage, **({"run_id": of} if of else {}) | _not_default(run, stage, inherits=of is not None))


def _not_default(run: StoredRun, stage: str, inherits: bool) -> dict[str, str]:
    """The options of a run that have to be typed. inherits: whether its data are those of another run."""
    found = {}
    for each in fields_of(STAGES[stage]):
        left_out = (
            not each.metadata["identifies"]
            or (inherits and each.name in DATA_OPTIONS)
            or (stage == "ablate" and each.metadata["group"] not in OF_ABLATION and each.name != "epochs")
        )
        value = run.params.get(each.name, "")
        if not left_out and value not in {"", str(each.default)}:
            found[each.name] = value
    return found
