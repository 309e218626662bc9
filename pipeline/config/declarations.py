"""Every option of every stage: its type, default, range and one line of help. They stand nowhere else."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipeline.config.model_names import ModelType
from pipeline.config.places import PRESETS

Values = dict[str, Any]


def option(default: Any, kind: click.ParamType, help: str, *, identifies: bool = True) -> Any:
    """Declare an option as a dataclass field.

    identifies: whether the value says what a run is. One that does not (a folder of this machine, the file that
    the values came from) is neither logged nor written to config.yaml.
    """
    return dataclasses.field(default=default, metadata={"kind": kind, "help": help, "identifies": identifies})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The resolved options of a stage.

    given: the names that the user typed or took from a preset or a config.
    """

    given: frozenset[str] = frozenset()

    workdir: Path = option(
        None,
        click.Path(path_type=Path),
        "folder of prepared data and histories [default: PIPELINE_WORKDIR, else workdir/ beside pipeline/]",
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig(Config):
    """Turn a source of images into a prepared data set: arrays of one size, a digest, a manifest."""

    data: str = option(
        "glyphs",
        click.STRING,
        "glyphs (drawn here), a folder with one folder a class, or a folder with train.txt, val.txt and test.txt",
    )
    image_size: int = option(64, click.IntRange(8, 1024), "side of the square images, in pixels")
    resize: str = option(
        "stretch",
        click.Choice(["stretch", "crop", "pad"]),
        "how an image becomes square: stretched, its middle cropped, or padded with black",
    )
    val_fraction: float = option(
        0.1, click.FloatRange(0, 0.9, min_open=True), "part of each class for validation, where the data has no split"
    )
    test_fraction: float = option(
        0.1, click.FloatRange(0, 0.9, min_open=True), "part of each class for the test, where the data has no split"
    )
    data_seed: int = option(0, click.IntRange(0, 2**32 - 1), "seed of the split, and of what glyphs draws")
    on_error: str = option("fail", click.Choice(["fail", "skip"]), "what to do about a file that is no readable image")
    on_leak: str = option(
        "warn",
        click.Choice(["warn", "drop", "fail"]),
        "what to do about equal files in two splits; drop keeps the copy in test, else in val",
    )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(PreprocessConfig):
    """Train one model, and log its metrics as it goes, its curves and its best epoch."""

    model: str = option("resnet", ModelType(), "the network")
    weights: str = option(
        "none",
        click.STRING,
        "what a Keras network begins with, but for its last layer: none (drawn from the seed), imagenet (downloaded, "
        "for those of keras.applications), or a .keras or .h5 file of the same architecture",
    )
    head_epochs: int = option(
        1, click.IntRange(0, 100_000), "with weights given: epochs in which the last layer alone is trained, at first"
    )
    preset: str | None = option(None, click.Choice(PRESETS), "a named configuration")
    config: str | None = option(
        None, click.STRING, "a config.yaml, or the id of a run whose options to take", identifies=False
    )
    epochs: int = option(12, click.IntRange(1, 100_000), "passes over the training images")
    patience: int = option(
        0, click.IntRange(0, 100_000), "stop after so many epochs without a better val_accuracy; 0 = never"
    )
    batch_size: int = option(128, click.IntRange(1, 65_536), "images a step")
    optimizer: str = option(
        "sgd", click.Choice(["sgd", "adamw", "adam"]), "sgd has Nesterov momentum of 0.9; adam ignores weight_decay"
    )
    learning_rate: float = option(0.2, click.FloatRange(0, 100, min_open=True), "the highest learning rate")
    schedule: str = option(
        "linear",
        click.Choice(["constant", "linear", "cosine"]),
        "the learning rate after the warm-up: kept, or brought down to zero in a line or a half cosine",
    )
    warmup: float = option(
        0.25, click.FloatRange(0, 1, max_open=True), "part of the training over which the learning rate rises from zero"
    )
    weight_decay: float = option(
        5e-4, click.FloatRange(0, 10), "decoupled: weights shrink by learning_rate * weight_decay a step"
    )
    label_smoothing: float = option(
        0.1, click.FloatRange(0, 1, max_open=True), "part of the target that is spread over all classes"
    )
    dropout: float | None = option(
        None, click.FloatRange(0, 0.95), "dropout rate [default: the model's own]; Models below say where it acts"
    )
    depth: int | None = option(
        None,
        click.IntRange(1, 100),
        "how deep the network is [default: the model's own]; Models below say what it counts",
    )
    width: int | None = option(
        None,
        click.IntRange(1, 4096),
        "how wide the network is [default: the model's own]; Models below say what it counts",
    )
    whiten: bool | None = option(
        None,
        click.BOOL,
        "whether the first layer is a fixed one that whitens patches of the training images (6 points of val_accuracy "
        "after four epochs of fast) [default: the model's own]",
    )
    augment: str = option(
        "crop",
        click.Choice(["none", "flip", "shift", "crop"]),
        "each image anew in each epoch: mirrored (see mirror), and also shifted by up to an eighth, or a crop of "
        "random place, scale and shape",
    )
    min_crop_area: float = option(
        0.5, click.FloatRange(0.05, 1), "the least part of an image that augment=crop keeps: less is stronger"
    )
    cutmix: float = option(
        0.0,
        click.FloatRange(0, 1),
        "part of the images that get a square of another one, and so much of its target: for long trainings "
        "(0.5 takes 4 points from one of four epochs)",
    )
    input_scale: float = option(
        1.0,
        click.FloatRange(0, 1, min_open=True),
        "side of the images as the network sees them, as part of image_size: below 1, crops of them stay sharp "
        "(3 points after four epochs of fast)",
    )
    initial_scale: float = option(
        1.0,
        click.FloatRange(0, 1, min_open=True),
        "side of the training images at first, as part of image_size, from which it grows to what the network sees "
        "over four fifths of the epochs: the smaller, the more epochs in a time",
    )
    mirror: str = option(
        "auto",
        click.Choice(["auto", "yes", "no"]),
        "whether augment may mirror an image; auto asks the data set (glyphs no, folders yes)",
    )
    flips: str = option(
        "alternating",
        click.Choice(["alternating", "random"]),
        "which images augment mirrors in an epoch: each in every other epoch (at best a point better after four), "
        "or half of them at random",
    )
    standardize: str = option(
        "channel",
        click.Choice(["channel", "global"]),
        "pixels to mean 0 and deviation 1: each channel by its own figures, or all by one pair",
    )
    class_weight: str = option(
        "none", click.Choice(["none", "balanced"]), "balanced gives rare classes as much say as frequent ones"
    )
    precision: str = option(
        "auto",
        click.Choice(["auto", "float32", "bfloat16"]),
        "arithmetic of the network; auto is mixed bfloat16 on processors that are faster at it",
    )
    test_each_epoch: bool = option(
        False, click.BOOL, "also score the test split after each epoch, as the reference report did: that spends it"
    )
    resume: str = option(
        "auto",
        click.STRING,
        "auto goes on with an interrupted training of the same options and data, if its process was of this machine; "
        "never starts anew; a run id goes on with that run",
        identifies=False,
    )
    seed: int = option(0, click.IntRange(0, 2**32 - 1), "seed of the training; what changes the data is data_seed")
    deterministic: bool = option(
        True, click.BOOL, "same seed, same result to the bit; false allows faster operations that differ"
    )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(PreprocessConfig):
    """Score a logged model. The data and its options are those of the evaluated run, unless typed here."""

    run_id: str | None = option(
        None, click.STRING, "the run whose model to evaluate [default: the newest finished training run]"
    )
    model_uri: str | None = option(None, click.STRING, "an MLflow address of a model, instead of run_id")
    split: str = option("test", click.Choice(["val", "test"]), "the images to evaluate on")


@dataclass(frozen=True, kw_only=True)
class SearchConfig(TrainConfig):
    """Search hyperparameters with Optuna, train the best in full, and evaluate it on the test split.

    epochs and image_size are those of a trial; what a recipe, a preset or a config says of them is taken for
    final_epochs and final_image_size.
    """

    epochs: int = option(
        12, click.IntRange(1, 100_000), "a trial's full budget, in passes over the training images, unless it is pruned"
    )
    image_size: int = option(64, click.IntRange(8, 1024), "side of the square images of a trial, in pixels")
    study: str | None = option(
        None, click.STRING, "name of the study; the same name continues it [default: MODEL-DATA-SPACE]"
    )
    storage: str | None = option(
        None,
        click.STRING,
        "Optuna address of the database that holds the study [default: OPTUNA_STORAGE, else sqlite, optuna.db in "
        "workdir]",
        identifies=False,
    )
    trials: int = option(20, click.IntRange(1, 100_000), "the study's total of complete and pruned trials")
    timeout: float = option(0.0, click.FloatRange(0), "seconds after which no further trial starts; 0 = never")
    workers: int = option(1, click.IntRange(1, 256), "processes that train trials, the cores shared out between them")
    sampler: str = option(
        "tpe", click.Choice(["tpe", "random", "cmaes", "gp"]), "what draws a trial's values; cmaes and gp are extras"
    )
    pruner: str = option(
        "hyperband", click.Choice(["hyperband", "median", "none"]), "what stops trials that fall behind"
    )
    space: str = option(
        "core",
        click.STRING,
        "core (learning_rate, dropout, depth), wide (also width, weight_decay, label_smoothing, batch_size and the "
        "augmentation's strength), or a YAML file of ranges",
    )
    enqueue: str = option(
        "own",
        click.STRING,
        "configurations tried first: own (the values that would be trained without a search), none, or a YAML file "
        "with a list of them",
    )
    retrain: int = option(1, click.IntRange(0, 1000), "how many of the best are trained in full at the end")
    final_epochs: int = option(
        12,
        click.IntRange(1, 100_000),
        "epochs of that training [default: the model's own, or epochs if those are more]",
    )
    final_image_size: int = option(
        64, click.IntRange(8, 1024), "its image_size [default: the model's own, or image_size if that is larger]"
    )


@dataclass(frozen=True, kw_only=True)
class MainConfig(SearchConfig):
    """Everything: preprocess, search, train the best, and evaluate it on the test split."""


@dataclass(frozen=True, kw_only=True)
class AblateConfig(TrainConfig):
    """Climb from one configuration to another, one change at a time, and say which changes mattered.

    What is typed of the options of train holds for both ends, a model for those that name none. Epochs are the same
    for all rungs, the goal's unless they are typed.
    """

    start: str = option(
        "reference",
        click.STRING,
        "where the climb begins: a preset, a config.yaml, a run id, or own (the model's own recipe)",
    )
    goal: str = option("own", click.STRING, "where it ends: the same")
    seeds: int = option(3, click.IntRange(1, 1000), "trainings of each rung of the climb, with seed, seed + 1, ...")
    alone_seeds: int = option(
        1,
        click.IntRange(0, 1000),
        "trainings of each change alone on top of the start, and taken away from the goal; 0 leaves these out",
    )
    groups: str | None = option(
        None,
        click.STRING,
        "a YAML file of 'name: [option, option]' lines: options that change together [default: by what they are about]",
    )


STAGES: dict[str, type[Config]] = {
    "preprocess": PreprocessConfig,
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "search": SearchConfig,
    "ablate": AblateConfig,
    "main": MainConfig,
}


def fields_of(config: Config | type[Config]) -> list[dataclasses.Field]:
    """The fields of a configuration that are options."""
    return [field for field in dataclasses.fields(config) if "kind" in field.metadata]


def part(config: Config, kind: type[Config]) -> Any:
    """The options that `kind` has, taken from the wider `config`, as a `kind`."""
    values = {field.name: getattr(config, field.name) for field in fields_of(kind)}
    return kind(**values, given=config.given)
