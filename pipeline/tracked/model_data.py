"""The data that belong to a logged model: those of its run, or others of the same classes."""

from pipeline import config as options
from pipeline import tracking
from pipeline.config import PreprocessConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError


def data_config_of(config: PreprocessConfig, run_id: str) -> PreprocessConfig:
    """The data options of the run that trained a model, but for those that `config` was given."""
    logged = tracking.config_of(run_id)
    names = [field.name for field in options.fields_of(PreprocessConfig) if field.metadata["identifies"]]
    trained = options.checked(PreprocessConfig, {name: logged.get(name) for name in names}, f" in run {run_id}")
    typed = {name: getattr(config, name) for name in names if name in config.given}
    return PreprocessConfig(**trained | typed, workdir=config.workdir, given=config.given)


def check_fit(data: Prepared, model: tracking.LoggedModel) -> None:
    """Raise UserError if a model cannot be asked about data: other classes, or images of another size."""
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
