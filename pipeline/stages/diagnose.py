"""What holds an accuracy back: small controlled trainings within a budget, and the answer in order."""

from pipeline import config as options
from pipeline import tracking
from pipeline.config import DiagnoseConfig
from pipeline.diagnosis.question import case_of, data_config_of, training_of
from pipeline.diagnosis.results import log_results
from pipeline.diagnosis.running import planned, run_all
from pipeline.tracked.data import ensure_prepared, log_data
from pipeline.tracked.fitting import decided, log_options

# The tag that says which training a run diagnoses.
DIAGNOSED = "diagnosed"


def diagnose(config: DiagnoseConfig) -> str:
    """Train what tells causes apart, and say what holds a training back, what would help, and how sure that is.

    An experiment that an earlier call has trained is found again. Returns the id of the run.
    Raises UserError if the run is not there, or if the training cannot be built.
    """
    training, typed = training_of(config)
    same = {"stage": "diagnose", DIAGNOSED: f"{options.digest(training)} {training.data}"}
    with tracking.run("diagnose", f"diagnose {training.model} {options.data_name(training)}", tags=same) as run:
        close_abandoned(run, same)
        run.log_params({"run_id": config.run_id or "", "minutes": config.minutes, "seeds": config.seeds})
        log_options(run, training)
        data = ensure_prepared(data_config_of(training), run.id)
        log_data(run, data, training, "training")
        # Experiments on a part of the images have the recipe of all of them.
        training = decided(run, training, data)
        case, pace = planned(case_of(training, data, config), data, run, config.minutes)
        outcomes = run_all(case, data, run, pace, config.minutes)
        log_results(run, case, data, outcomes, typed, config.minutes, config.workdir)
    return run.id


def close_abandoned(run: tracking.Run, same: dict[str, str]) -> None:
    """Close the runs of the same diagnosis that a process which is no more has left RUNNING."""
    for found in tracking.find(same, "RUNNING"):
        if found.id != run.id and tracking.is_abandoned(found):
            tracking.hand_over(found.id, run.id)
