"""A logged model's scores on a split."""

from pipeline import config as options
from pipeline import figures, metrics, tracking
from pipeline.config import EvaluateConfig, PreprocessConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.stages.preprocess import ensure_prepared
from pipeline.tracked_training import log_data


def evaluate(config: EvaluateConfig) -> str:
    """Score a logged model, loaded as anyone would load it, on one split of its data set.

    Returns the id of the run, a child of the evaluated one, that holds scores, tables and figures. Raises UserError if
    there is no such model, or if the data has other classes than the model.
    """
    with tracking.run("evaluate", f"evaluate {config.split}", config.run_id) as run:
        model = tracking.load_model(config.run_id, config.model_uri)
        run.nest_in(model.run_id)
        data_config = _data_config(config, model.run_id)
        run.log_params(options.identity(data_config) | {"split": config.split, "evaluated_run": model.run_id})
        data = ensure_prepared(data_config, run.id)
        _check_fit(data, model)
        log_data(run, data, data_config, "evaluation")
        trained_on = tracking.tags_of(model.run_id)
        run.set_tags(
            {
                "model": trained_on.get("model", ""),
                "same_data_as_trained_on": data.facts.digest == trained_on.get("data_digest"),
            }
        )
        scores = _score(run, model, data, config.split)
    print(
        f"run {run.id}: {config.split}_accuracy {scores['accuracy']:.1%} "
        f"(95 % interval {scores['accuracy_low']:.1%} to {scores['accuracy_high']:.1%}, "
        f"chance {scores['chance_accuracy']:.1%}) of {model.uri}"
    )
    print(f"  {tracking.run_address(run)}")
    return run.id


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
            f"{facts.name} has {len(facts.class_names)} classes and the model of run {model.run_id} "
            f"{len(classifier.class_names)}{named}; they must be the same"
        )
    if facts.image_size != classifier.image_size:
        raise UserError(
            f"--image_size {facts.image_size} does not fit the model of run {model.run_id}, "
            f"which takes {classifier.image_size}"
        )


def _score(run: tracking.Run, model: tracking.LoggedModel, data: Prepared, split_name: str) -> dict[str, float]:
    split, class_names = data[split_name], data.facts.class_names
    probabilities = model.classifier.probabilities(split.images)
    scores = metrics.classification(split.labels, probabilities)
    per_class = metrics.per_class(split.labels, probabilities, class_names)
    confusion = metrics.confusion(split.labels, probabilities)

    run.log_metrics({f"{split_name}_{name}": value for name, value in scores.items()})
    run.log_parquet("predictions", metrics.predictions(split.paths, split.labels, probabilities, class_names))
    run.log_table("per_class", per_class)
    run.log_table("confusion_matrix", metrics.confusion_table(confusion, class_names))
    title = f"{split_name}: accuracy {scores['accuracy']:.1%} of {len(split.labels):,} images"
    run.log_figure("confusion_matrix", figures.confusion_matrix(confusion, class_names, title))
    run.log_figure("per_class", figures.per_class(per_class, title))
    run.log_figure(
        "mistakes",
        figures.mistakes(
            split.images, split.labels, probabilities, class_names, f"{split_name}: the most confident mistakes"
        ),
    )
    return scores
