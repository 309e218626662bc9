"""A study: trials, then the best of them trained in full."""

import contextlib
import dataclasses
import re

import optuna

from pipeline import config as options
from pipeline import models, tracking
from pipeline.config import EvaluateConfig, PreprocessConfig, SearchConfig, TrainConfig
from pipeline.search import champion
from pipeline.search.space import Space, first_configurations, space_of
from pipeline.search.study import (
    best_trials,
    check_identity,
    check_sampler,
    enqueue,
    make_pruner,
    open_study,
    owned,
    storage_address,
    study_name,
    study_tags,
)
from pipeline.search.take_over import take_over
from pipeline.search.trial import StudyPlace, trial_name
from pipeline.search.trials import run_trials
from pipeline.search.view import StudyView
from pipeline.stages.evaluate import evaluate
from pipeline.stages.preprocess import ensure_prepared, summary
from pipeline.stages.train import train_once
from pipeline.tracked_training import log_data, log_options


def search(config: SearchConfig, parent: str | None = None) -> str:
    """Search a study's space on validation data, train the best in full, and evaluate that on the test split.

    Returns the id of the study's run. Raises UserError if the study cannot be begun or continued as asked for, or if
    trial after trial fails.
    """
    check_sampler(config.sampler)
    space = space_of(config, models.ranges(config.model))
    first = first_configurations(config, space)
    name, tags = study_name(config), study_tags(config)
    with tracking.run("search", f"search {name}", parent, tags=tags) as run:
        log_options(run, config)
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id)
        log_data(run, data, config, "training")
        address = storage_address(config)
        study = open_study(address, name, make_pruner(config.pruner, config.epochs, config.warmup))
        with owned(study):
            check_identity(study, config, space, data.facts.digest)
            take_over(study, run, parent, config)
            enqueue(study, first)
            print(f"searching {', '.join(space)} of {config.model} on {summary(data.facts)}")
            print(f"study {name}: {tracking.run_address(run)}")
            place = StudyPlace(address, name, config.pruner, config.epochs, config.warmup, run.id, tags)
            _run_trials(study, config, space, place, run)
            _train_best(study, config, space, run)
    return run.id


def _run_trials(study: optuna.Study, config: SearchConfig, space: Space, place: StudyPlace, run: tracking.Run) -> None:
    view = StudyView(run, study, space, config.trials, config.workers)
    try:
        run_trials(study, config, space, place, view)
    except BaseException:
        view.close()
        with contextlib.suppress(Exception):  # what stopped the search says more
            view.log()
        raise
    view.close()
    view.log()
    if best := best_trials(study, 1):
        run.log_params({f"best_{name}": value for name, value in best[0].params.items()})
        run.set_tags({"best_trial": trial_name(best[0].number), "best_run": best[0].user_attrs["run_id"]})
        print(f"best of {len(study.trials)} trials: {trial_name(best[0].number)}, val_accuracy {best[0].value:.1%}")


def _train_best(study: optuna.Study, config: SearchConfig, space: Space, run: tracking.Run) -> None:
    """Train the best trials in full, and evaluate the best of those, by validation, on the test split."""
    trained = {}
    for trial in best_trials(study, config.retrain):
        tags = study_tags(config) | {"optuna.trial": str(trial.number)}
        run_id = train_once(final_config(config, trial.params, space), run.id, tags)
        trained[run_id] = tracking.metrics_of(run_id)["best_val_accuracy"]
    if not trained:
        return
    best = max(trained, key=lambda run_id: trained[run_id])
    _evaluated(best, "val", config)
    tested = _evaluated(best, "test", config)
    run.log_metrics({"final_val_accuracy": trained[best]} | tracking.metrics_of(tested))
    run.set_tags({"final_run": best} | _register(best, config, tracking.tags_of(best)["data_digest"]))


def final_config(config: SearchConfig, params: dict, space: Space) -> TrainConfig:
    """The configuration of the training in full of a trial's values."""
    final = dataclasses.replace(options.part(config, TrainConfig), **(params | {"epochs": config.final_epochs}))
    return final if "image_size" in space else dataclasses.replace(final, image_size=config.final_image_size)


def _evaluated(run_id: str, split: str, config: SearchConfig) -> str:
    """The evaluation of a run on a split, made if there is none: the test split is read once a model."""
    present = tracking.evaluation_of(run_id, split)
    return present or evaluate(EvaluateConfig(run_id=run_id, split=split, workdir=config.workdir))


def _register(run_id: str, config: SearchConfig, data_digest: str) -> dict[str, str]:
    """Register the model, and make it the champion of its data set if it is better than the present one.

    Returns the tags that say what was decided.
    """
    name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', options.data_name(config))}-{data_digest}"
    version = tracking.register(run_id, name)
    present = tracking.holder_of(name, champion.ALIAS)
    if present and present.run_id == run_id:
        tags, sentence = {"champion_decision": "champion"}, f"it has the alias {champion.ALIAS} already"
    else:
        tags, sentence = _decided(run_id, present, config)
        tracking.describe(version, tags, sentence)
        if tags["champion_decision"] == "champion":
            tracking.give_alias(version, champion.ALIAS)
    description = f"{name} version {version.version}: {sentence}"
    print(f"registered as {description}")
    return tags | {
        "registered_model": name,
        "registered_version": version.version,
        tracking.DESCRIPTION: description,
    }


def _decided(run_id: str, present: tracking.Version | None, config: SearchConfig) -> tuple[dict[str, str], str]:
    """Whether the run's model becomes the champion, as tags and as a sentence."""
    if present is None:
        return {"champion_decision": "champion"}, f"the first model for this data; it takes the alias {champion.ALIAS}"
    predictions = [tracking.predictions_of(_evaluated(each, "val", config)) for each in (run_id, present.run_id)]
    decision = champion.decide(*predictions)
    return decision.tags(), decision.sentence(f"version {present.version}")
