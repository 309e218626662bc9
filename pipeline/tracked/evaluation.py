"""An evaluation as MLflow sees it: a child of the run whose model it scores."""

from pipeline import config as options
from pipeline import tracking
from pipeline.config import EvaluateConfig, PreprocessConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.evaluation.contract import Answers
from pipeline.evaluation.measures import findings
from pipeline.tracked.data import ensure_prepared, log_data


def evaluate_tracked(config: EvaluateConfig) -> str:
    """Score a logged model, loaded as anyone would load it, on one split of its data set.

    Returns the id of the run, a child of the evaluated one, that holds scores, tables and figures. Raises UserError if
    there is no such model, or if the data has other classes than the model.
    """
    with tracking.run("evaluate", f"evaluate {config.split}", config.run_id) as run:
        model = tracking.load_model(config.run_id, config.model_uri)
        run.nest_in(model.run_id)
        data_config = _data_config(config, model.run_id)
        run.log_params(options.identity(data_config) | {"split": config.split, "evaluated_run": model.run_id})
        whole = config.split if "data" in config.given else None
        data = ensure_prepared(data_config, run.id, whole)
        _check_fit(data, model)
        log_data(run, data, data_config, "evaluation")
        _tag(run, model, data)
        scores = _log_findings(run, answers(model, data, config.split))
    _print_end(run, model, config.split, scores)
    return run.id


def evaluated(run_id: str, split: str, config: PreprocessConfig) -> str:
    """The evaluation of a run on a split, made if there is none: the test split is opened once per model."""
    present = tracking.evaluation_of(run_id, split)
    return present or evaluate_tracked(EvaluateConfig(run_id=run_id, split=split, workdir=config.workdir))


def answers(model: tracking.LoggedModel, data: Prepared, split_name: str) -> Answers:
    """What a model answers to the images of a split."""
    split = data[split_name]
    predict = model.classifier.probabilities
    return Answers(
        split=split_name,
        images=split.images,
        labels=split.labels,
        paths=split.paths,
        class_names=data.facts.class_names,
        probabilities=predict(split.images),
        predict=predict,
    )


def _data_config(config: EvaluateConfig, run_id: str) -> PreprocessConfig:
    """The evaluated run's data options, but for those that were typed."""
    logged = tracking.config_of(run_id)
    names = [field.name for field in options.fields_of(PreprocessConfig) if field.metadata["identifies"]]
    trained = options.checked(PreprocessConfig, {name: logged.get(name) for name in names}, f" in run {run_id}")
    typed = {name: getattr(config, name) for name in names if name in config.given}
    return PreprocessConfig(**trained | typed, workdir=config.workdir, given=config.given)


def _check_fit(data: Prepared, model: tracking.LoggedModel) -> None:
    facts, classifier = data.facts, model.classifier
    if facts.class_names != classifier.class_names:
        differing = sorted(set(facts.class_names) ^ set(classifier.class_names))
        named = f", among them {differing[0]!r} on one side only" if differing else ", in another order"
        raise UserError(
            f"{data.name} has {len(facts.class_names)} classes and the model of run {model.run_id} "
            f"{len(classifier.class_names)}{named}; they must be the same"
        )
    prepared_size = classifier.preprocessing.prepared_size
    if facts.image_size != prepared_size:
        raise UserError(
            f"--image_size {facts.image_size} does not fit the model of run {model.run_id}, which takes {prepared_size}"
        )


def _tag(run: tracking.Run, model: tracking.LoggedModel, data: Prepared) -> None:
    trained_on = tracking.tags_of(model.run_id)
    same_data = data.facts.digest == trained_on.get("data_digest")
    run.set_tags({"model": trained_on.get("model", ""), "same_data_as_trained_on": same_data})


def _log_findings(run: tracking.Run, answered: Answers) -> dict[str, float]:
    """Log what each measure finds; returns the metrics, by their names without the split's."""
    metrics: dict[str, float] = {}
    for found in findings(answered):
        metrics |= found.metrics
        run.log_metrics({f"{answered.split}_{name}": value for name, value in found.metrics.items()})
        for name, table in found.tables.items():
            run.log_table(name, table)
        for name, table in found.parquet.items():
            run.log_parquet(name, table)
        for name, figure in found.figures.items():
            run.log_figure(name, figure)
    return metrics


def _print_end(run: tracking.Run, model: tracking.LoggedModel, split: str, scores: dict[str, float]) -> None:
    print(
        f"run {run.id}: {split}_accuracy {scores['accuracy']:.1%} "
        f"(95 % interval {scores['accuracy_low']:.1%} to {scores['accuracy_high']:.1%}, "
        f"chance {scores['chance_accuracy']:.1%}) of {model.uri}"
    )
    print(f"  {tracking.run_address(run)}")
