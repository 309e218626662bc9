"""What a study ends with: its best trials trained in full, and the best of those evaluated and registered."""

import dataclasses
from collections.abc import Mapping

import optuna

from pipeline import config as options
from pipeline import tracking
from pipeline.config import SearchConfig, TrainConfig
from pipeline.search import champion
from pipeline.search.space import Space
from pipeline.search.study import best_trials, metric_of_study, study_tags
from pipeline.search.view import best_of
from pipeline.tracked.descriptions import command, of_search
from pipeline.tracked.evaluation import evaluated
from pipeline.tracked.training import print_use, train_once
from pipeline.training.objective import METRICS, lower_is_better


def train_best(
    study: optuna.Study, config: SearchConfig, space: Space, run: tracking.Run, class_names: list[str]
) -> None:
    """Train the best trials in full, and evaluate the best of those, by validation, on the test split."""
    metric = metric_of_study(study)
    trained = {}
    for trial in best_trials(study, config.retrain):
        tags = study_tags(config) | {"optuna.trial": str(trial.number)}
        run_id = train_once(final_config(config, trial.params, space), run.id, tags)
        trained[run_id] = tracking.metrics_of(run_id)
    if not trained:
        return
    best = min(trained, key=lambda run_id: _rank(trained[run_id], metric))
    evaluated(best, "val", config)
    tested = evaluated(best, "test", config)
    final = {f"final_{name}": trained[best][f"best_{name}"] for name in METRICS.values()}
    run.log_metrics(final | tracking.metrics_of(tested))
    registered = champion.register(best, config, metric, class_names)
    uri = f"models:/{registered['registered_model']}/{registered['registered_version']}"
    commands = [command("predict", model_uri=uri, data="FOLDER"), command("export", model_uri=uri), command("report")]
    said = f"The best, trained in full: {registered['champion_reason']}"
    page = of_search(study.study_name, len(study.trials), best_of(study), said, commands)
    run.set_tags({"final_run": best} | registered | {tracking.DESCRIPTION: page})
    print_use(uri, commands)


def _rank(metrics: Mapping[str, float], metric: str) -> tuple[float, float]:
    """How a training compares with others by a metric, equals by val_loss: the smaller, the better."""
    value = metrics[f"best_{metric}"]
    return (value if lower_is_better(metric) else -value), metrics["best_val_loss"]


def final_config(config: SearchConfig, params: dict, space: Space) -> TrainConfig:
    """The configuration of the training in full of a trial's values."""
    full = params | {"epochs": config.final_epochs, "folds": 0}
    final = dataclasses.replace(options.part(config, TrainConfig), **full)
    return final if "image_size" in space else dataclasses.replace(final, image_size=config.final_image_size)
