"""The Optuna study: how it is opened, what it remembers, and how its trials begin and end."""

import importlib.util
import math
import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np
import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from pipeline import config as options
from pipeline.config import SearchConfig, TrainConfig, Values
from pipeline.errors import UserError, without_password
from pipeline.search.space import Space, describe
from pipeline.search.storage import open_storage, storage_address
from pipeline.training.objective import METRICS, lower_is_better

RETRIES = 1
# Before TPE begins: five did better than ten in a replay, docs/results.md.
RANDOM_TRIALS = 5
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
EXTRAS = {"cmaes": "cmaes", "gp": "torch"}

ACCURACY = METRICS["accuracy"]

# Names of what the study remembers of itself.
IDENTITY = "identity"
PARENT = "mlflow_parent"
# And what a trial remembers of itself.
OUTCOME = "outcome"
ABANDONED = "abandoned"

optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def study_name(config: SearchConfig) -> str:
    """The name of the study: the one given, or what it is about."""
    return config.study or f"{config.model}-{options.data_name(config)}-{Path(config.space).stem}"


def study_tags(config: SearchConfig) -> dict[str, str]:
    """The tags by which all runs of the study are found."""
    name = study_name(config)
    return {
        "study": name,
        "optuna.study": name,
        "optuna.storage": without_password(storage_address(config)),
        "model": config.model,
    }


def open_study(address: str, name: str, pruner: BasePruner, metric: str = ACCURACY) -> optuna.Study:
    """The study of this name, begun if there is none, whose trials are judged by `metric`.

    Raises UserError if its database cannot be opened, or if it was begun with another metric.
    """
    direction = StudyDirection.MINIMIZE if lower_is_better(metric) else StudyDirection.MAXIMIZE
    study = optuna.create_study(
        storage=open_storage(address), study_name=name, pruner=pruner, direction=direction, load_if_exists=True
    )
    if not study.metric_names:
        # What optuna-dashboard calls it in place of "value".
        study.set_metric_names([metric])
    if metric_of_study(study) != metric:
        raise UserError(
            f"the study {name} judges its trials by {metric_of_study(study)}, not by {metric}; give the --objective "
            "that it was begun with, or another --study"
        )
    return study


def metric_of_study(study: optuna.Study) -> str:
    """The metric that the study's trials are judged by."""
    return study.metric_names[0] if study.metric_names else ACCURACY


def make_pruner(name: str, epochs: int, warmup: float) -> BasePruner:
    """The pruner for trials of at most `epochs` epochs, of which the part `warmup` warms up.

    While the learning rate still rises, trials differ by little but noise: none is stopped before that is over.
    """
    first = max(1, math.ceil(warmup * epochs))
    if name == "hyperband":
        return HyperbandPruner(min_resource=first, max_resource=epochs, reduction_factor=3)
    return MedianPruner(n_warmup_steps=first) if name == "median" else NopPruner()


def check_sampler(name: str) -> None:
    """Raise UserError if the sampler needs a package that is not installed."""
    package = EXTRAS.get(name)
    if package and importlib.util.find_spec(package) is None:
        raise UserError(f'--sampler {name} needs the package {package}: pip install "past-the-ceiling[{name}]"')


def make_sampler(name: str, seed: int, number: int) -> BaseSampler:
    """The sampler that draws trial `number`: a fresh one, so that what it draws depends on no earlier process."""
    trial_seed = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
    if name == "tpe":
        return TPESampler(seed=trial_seed, multivariate=True, n_startup_trials=RANDOM_TRIALS)
    if name == "cmaes":
        return CmaEsSampler(seed=trial_seed)
    if name == "gp":
        return GPSampler(seed=trial_seed)
    return RandomSampler(seed=trial_seed)


def identity_of(study: optuna.Study) -> Values | None:
    """What the study remembers that it is about; None if it has not begun.

    It is no user attribute, since optuna-dashboard shows those; a study of an earlier version has it there.
    """
    remembered: Values | None = study._storage.get_study_system_attrs(study._study_id).get(IDENTITY)
    return remembered or study.user_attrs.get(IDENTITY)


def check_identity(study: optuna.Study, config: SearchConfig, space: Space, data_digest: str) -> None:
    """Remember what the study is about, or hold it against what it remembers.

    Raises UserError, naming each option that differs with both values.
    """
    present = _identity(config, space, data_digest)
    remembered = identity_of(study)
    if remembered is None:
        study._storage.set_study_system_attr(study._study_id, IDENTITY, present)
        return
    # An option that the study does not know came with a later version; its default is what was done before.
    known = [name for name in {**remembered, **present} if name in remembered or name.startswith("space.")]
    names = [name for name in known if remembered.get(name) != present.get(name)]
    if names:
        differences = "; ".join(f"{name} was {remembered.get(name)}, now {present.get(name)}" for name in names)
        raise UserError(
            f"the study {study.study_name} was begun with other options: {differences}. "
            "Give those again, or another --study"
        )


def _identity(config: SearchConfig, space: Space, data_digest: str) -> Values:
    """All that makes two trials comparable: the space, every option outside it, and the data by its digest."""
    fixed = options.identity(options.part(config, TrainConfig))
    outside = {name: value for name, value in fixed.items() if name not in space and name != "data"}
    return outside | {"data_digest": data_digest} | {f"space.{name}": value for name, value in describe(space).items()}


def enqueue(study: optuna.Study, configurations: list[Values]) -> None:
    """Queue configurations that the study has not had yet."""
    for configuration in configurations:
        study.enqueue_trial(configuration, skip_if_exists=True)


def ask(study: optuna.Study, config: SearchConfig, space: Space) -> Trial:
    """The next trial: a queued one, or one that the sampler draws."""
    number = len(study.get_trials(deepcopy=False))
    study.sampler = make_sampler(config.sampler, config.seed, number)
    return study.ask(space)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """The complete and pruned trials."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def best_trials(study: optuna.Study, count: int) -> list[FrozenTrial]:
    """The `count` best complete trials, the best first; equals by val_loss, and of equals in that the earlier one."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(complete, key=lambda trial: (*rank(trial, metric_of_study(study)), trial.number))[:count]


def rank(trial: FrozenTrial, metric: str) -> tuple[float, float]:
    """How a complete trial compares with others: the smaller, the better."""
    assert trial.value is not None
    val_loss = trial.user_attrs.get(OUTCOME, {}).get("scores", {}).get("val_loss", math.inf)
    return (trial.value if lower_is_better(metric) else -trial.value), val_loss


def best_value(values: Collection[float], metric: str) -> float | None:
    """The best of some values of a metric; None if there is none."""
    return (min if lower_is_better(metric) else max)(values, default=None)


def check_complete(study: optuna.Study) -> None:
    """Raise UserError if the study has trials, and none of them came to its end: there is no best one."""
    ended = finished(study)
    if ended and not best_trials(study, 1):
        reason = ended[-1].user_attrs.get(OUTCOME, {}).get("reason", "")
        raise UserError(f"none of {len(ended)} trials is complete, so there is no best one; of the last one: {reason}")


def abandon(study: optuna.Study, trial: Trial) -> None:
    """Mark a trial whose process is no more as failed, and queue its configuration once more."""
    trial.set_user_attr(ABANDONED, True)
    study.tell(trial, state=TrialState.FAIL)
    retry_abandoned(study)


def retry_abandoned(study: optuna.Study) -> None:
    """Queue each abandoned configuration that has not been queued again yet, if it was not a second try already."""
    trials = study.get_trials()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        retry = RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)
        retried = {number for trial in trials for number in retry.retry_history(trial)}
    for trial in trials:
        if trial.state == TrialState.FAIL and trial.user_attrs.get(ABANDONED) and trial.number not in retried:
            # What the first try noted of itself is not true of the second.
            trial.user_attrs = {}
            retry(study, trial)
