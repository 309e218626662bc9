"""An evaluation as MLflow sees it: a child of the run whose model it scores."""

import sys

from pipeline import config as options
from pipeline import tracking
from pipeline.config import Config, EvaluateConfig
from pipeline.data.prepared import Prepared
from pipeline.evaluation.constant import no_better_than_constant
from pipeline.evaluation.contract import Answers
from pipeline.evaluation.measures import findings
from pipeline.tracked.answers import answers, check_certainty
from pipeline.tracked.data import ensure_prepared, log_data
from pipeline.tracked.descriptions import next_of_evaluation, of_evaluation
from pipeline.tracked.model_data import check_fit, data_config_of

# Those that the training run gets too.
MAIN_SCORES = (
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "balanced_accuracy",
    "top5_accuracy",
    "macro_f1",
    "loss",
    "ece",
)


def evaluate_tracked(config: EvaluateConfig, costly: bool = True) -> str:
    """Score a logged model, loaded as anyone would load it, on one split of its data set.

    costly: whether to take also the measures that ask the model again. Returns the id of the run, a child of the
    evaluated one, that holds scores, tables and figures. Raises UserError if there is no such model, if the data has
    other classes than the model, or if the model does not have what an option asks for.
    """
    with tracking.run("evaluate", f"evaluate {config.split}", config.run_id) as run:
        model = tracking.load_model(config.run_id, config.model_uri, config.mirror_predict)
        run.nest_in(model.run_id)
        data_config = data_config_of(config, model.run_id)
        names = ("split", "calibrate", "unsure_below", "wanted_accuracy", "mirror_predict")
        asked = {name: getattr(config, name) for name in names}
        run.log_params(options.identity(data_config) | asked | {"evaluated_run": model.run_id})
        check_certainty(config, model)
        whole = config.split if "data" in config.given else None
        data = ensure_prepared(data_config, run.id, whole)
        check_fit(data, model)
        log_data(run, data, data_config, "evaluation")
        _tag(run, model, data)
        found = answers(model, data, config)
        scores = _log_findings(run, found, costly, _scored(run, model, data))
        if config.calibrate == "no" and not config.mirror_predict and _is_same_data(model, data):
            _log_to_training(model, config.split, scores)
        run.rename(f"evaluate {config.split} {scores['accuracy']:.1%}")
        run.describe(of_evaluation(model.uri, config.split, scores, model.run_id))
    _print_end(run, model, config.split, scores)
    _warn_of_constant_answers(data, config.split, scores["accuracy"])
    if costly:
        print("next:\n  " + "\n  ".join(next_of_evaluation(model.run_id)))
    return run.id


def evaluated(run_id: str, split: str, config: Config) -> str:
    """The evaluation of a run on a split, made if there is none: the test split is opened once per model."""
    present = tracking.evaluation_of(run_id, split)
    again = EvaluateConfig(run_id=run_id, split=split, workdir=config.workdir)
    return present or evaluate_tracked(again, costly=False)


def _tag(run: tracking.Run, model: tracking.LoggedModel, data: Prepared) -> None:
    name = tracking.tags_of(model.run_id).get("model", "")
    run.set_tags({"model": name, "same_data_as_trained_on": _is_same_data(model, data)})


def _is_same_data(model: tracking.LoggedModel, data: Prepared) -> bool:
    return data.facts.digest == tracking.tags_of(model.run_id).get("data_digest")


def _log_to_training(model: tracking.LoggedModel, split: str, scores: dict[str, float]) -> None:
    """Have the main scores stand on the training run as well, where runs are compared; but for its own curves."""
    training = tracking.handle_of(model.run_id)
    named = {f"{split}_{name}": scores[name] for name in MAIN_SCORES}
    training.log_metrics({name: value for name, value in named.items() if not any(training.logged_steps(name))})


def _scored(run: tracking.Run, model: tracking.LoggedModel, data: Prepared) -> tracking.Scored | None:
    """What the scores are of, for MLflow's page of the model; None for a model that has no page."""
    if model.id is None:
        return None
    run.log_input_model(model.id)
    return tracking.Scored(model.id, data.name, data.facts.digest)


def _log_findings(
    run: tracking.Run, answered: Answers, costly: bool, scored: tracking.Scored | None
) -> dict[str, float]:
    """Log what each measure finds; returns the metrics, by their names without the split's."""
    metrics: dict[str, float] = {}
    for found in findings(answered, costly):
        metrics |= found.metrics
        named = {f"{answered.split}_{name}": value for name, value in found.metrics.items()} | found.of_model
        run.log_metrics(named, of=scored)
        for name, table in found.tables.items():
            run.log_table(name, table)
        for name, table in found.parquet.items():
            run.log_parquet(name, table)
        for name, figure in found.figures.items():
            run.log_figure(name, figure)
    return metrics


def _warn_of_constant_answers(data: Prepared, split: str, accuracy: float) -> None:
    counts, names = data.facts.counts, data.facts.class_names
    if warning := no_better_than_constant(split, accuracy, counts[split], counts["train"], names):
        print(f"warning: {warning}", file=sys.stderr)


def _print_end(run: tracking.Run, model: tracking.LoggedModel, split: str, scores: dict[str, float]) -> None:
    print(
        f"run {run.id}: {split}_accuracy {scores['accuracy']:.1%} "
        f"(95 % interval {scores['accuracy_low']:.1%} to {scores['accuracy_high']:.1%}, "
        f"chance {scores['chance_accuracy']:.1%}), {split}_balanced_accuracy {scores['balanced_accuracy']:.1%} "
        f"({scores['balanced_accuracy_low']:.1%} to {scores['balanced_accuracy_high']:.1%}) of {model.uri}"
    )
    if "answered_accuracy" in scores:
        print(f"  answered {scores['answered']:.1%} of the images, {scores['answered_accuracy']:.1%} of them right")
    print(f"  {tracking.run_address(run)}")
