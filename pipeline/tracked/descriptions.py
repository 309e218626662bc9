"""What runs are called, and what their pages in MLflow say: what it was, what came out, what to type next."""

import shlex
from collections.abc import Mapping, Sequence

from pipeline import config as options
from pipeline.config import PreprocessConfig, TrainConfig

NEXT = "What to type next:"


def command(stage: str, **given: object) -> str:
    """The command that runs a stage with these options."""
    options = [f"-P {shlex.quote(f'{name}={value}')}" for name, value in given.items()]
    return " ".join([f"mlflow run . -e {stage} --env-manager local", *options])


def page(was: str, found: str, commands: Sequence[str] = ()) -> str:
    """A description. was: a sentence on what the run did. found: what came out. commands: what to type next."""
    to_type = "\n".join(f"    {each}" for each in commands)
    return "\n\n".join([was, found] + ([f"{NEXT}\n\n{to_type}"] if commands else []))


def commands_of(page: str) -> list[str]:
    """What to type next, as a description says it."""
    return [line.strip() for line in page.partition(f"{NEXT}\n")[2].splitlines() if line.strip()]


def training_name(config: TrainConfig, val_accuracy: float | None = None) -> str:
    """Model, preset, accuracy, data: what differs comes first, since MLflow's list of runs cuts names."""
    words = [config.model, config.preset, _percent(val_accuracy), options.data_name(config)]
    return " ".join(word for word in words if word)


def trial_name(name: str, tried: Mapping[str, object]) -> str:
    """What a trial's run is called: its number, and the values that were tried."""
    return " ".join([name, *(f"{option} {short(value)}" for option, value in tried.items())])


def short(value: object) -> str:
    """A value as it stands in a name: a fraction with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def of_training(config: TrainConfig, data: str, found: str, run_id: str) -> str:
    """The page of a training. data: its data in a line. found: its best epoch in words."""
    preset = f", preset {config.preset}" if config.preset else ""
    return page(
        f"Training of **{config.model}**{preset} on {data}, {config.epochs} epochs.",
        f"**{found}**; the run has the model of that epoch.",
        next_of_training(run_id),
    )


def of_fold(config: TrainConfig, number: int, data: str, found: str) -> str:
    """The page of a fold of a cross-validation. data: its division of the data in a line. found: its best epoch."""
    return page(
        f"Fold {number} of {config.folds} of **{config.model}** on {data}, {config.epochs} epochs.",
        f"**{found}**, of the images held out; tables/predictions.parquet has its answers to them. It has no model.",
    )


def next_of_training(run_id: str) -> list[str]:
    """The commands that a finished training is followed by."""
    return [command("evaluate", run_id=run_id), command("predict", run_id=run_id, data="FOLDER")]


def of_trial(study: str, tried: Mapping[str, object], epochs: int, best: str | None, run_id: str) -> str:
    """The page of a trial. tried: the values that were drawn. epochs: trained. best: its score, if there was one."""
    values = ", ".join(f"{option} {short(value)}" for option, value in tried.items())
    reached = "no epoch was finished" if best is None else f"**{best}** after {epochs} epochs"
    return page(f"A trial of the study {study}: {values}.", f"{reached}.", [command("train", config=run_id)])


def of_evaluation(asked: str, split: str, scores: Mapping[str, float], run_id: str) -> str:
    """The page of an evaluation. asked: the model's address. scores: metrics without the split's name."""
    return page(
        f"Evaluation of {asked} on the {split} images.",
        f"**{split}_accuracy {scores['accuracy']:.1%}**, 95 % interval {scores['accuracy_low']:.1%} to "
        f"{scores['accuracy_high']:.1%}; always naming the largest class gives {scores['chance_accuracy']:.1%}. "
        f"{split}_balanced_accuracy {scores['balanced_accuracy']:.1%}, 95 % interval "
        f"{scores['balanced_accuracy_low']:.1%} to {scores['balanced_accuracy_high']:.1%}.",
        next_of_evaluation(run_id),
    )


def next_of_evaluation(run_id: str) -> list[str]:
    """The commands that an evaluation is followed by. run_id: the training run."""
    return [command("predict", run_id=run_id, data="FOLDER"), command("export", run_id=run_id)]


def of_export(kind: str, asked: str, bytes: int, accuracy: float, own_accuracy: float) -> str:
    """The page of an export. kind: its format. asked: the model's address. accuracy: of the export and the network."""
    return page(
        f"Export of {asked} as {kind}.",
        f"**{bytes:,} bytes**, {accuracy:.1%} of the validation images right; the network itself {own_accuracy:.1%}.",
    )


def of_preprocess(config: PreprocessConfig, data: str, quality: str) -> str:
    """The page of a preparation. data: what came out in a line. quality: how good it is."""
    found = "\n\n".join(filter(None, [f"**{data}**.", quality]))
    return page(f"Preparation of the images of {config.data}.", found, next_of_preprocess(config))


def next_of_preprocess(config: PreprocessConfig) -> list[str]:
    """The commands that a preparation is followed by."""
    return [command("train", data=config.data, image_size=config.image_size)]


def of_search(study: str, trials: int, best: str, end: str = "", next_commands: Sequence[str] = ()) -> str:
    """The page of a search. best: its best trial in words. end: what became of that where it was trained in full."""
    was = f"Search: {trials} trials of the Optuna study **{study}**; they are the runs below this one."
    return page(was, "\n\n".join(filter(None, [f"**{best}**", end])), next_commands)
