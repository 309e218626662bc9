"""Every option of every stage: type, default, range, what it is about, a line of help. They stand nowhere else."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import click

from pipeline import docstrings
from pipeline.config.addresses import WITHOUT_PASSWORD
from pipeline.config.devices import DevicesType
from pipeline.config.folds import FoldsType
from pipeline.config.model_names import ModelType
from pipeline.config.patterns import GroupPattern
from pipeline.config.places import PACKAGE, PRESETS
from pipeline.config.thresholds import ThresholdType

Values = dict[str, Any]
EXPORT_FORMATS = PACKAGE / "export" / "formats"


@dataclass(frozen=True)
class Group:
    """What options are about.

    heading: where they stand in the help of a stage. change: the change of an ablation that they belong to; None if
    both of its ends have them in common, since they are the question and the budget, not the recipe.
    """

    heading: str
    change: str | None = None


# The changes are tried in this order. A depth is of a network, and so is the size of what it sees.
GROUPS = {
    "input": Group("Data", "input"),
    "augmentation": Group("Augmentation", "augmentation"),
    "network": Group("Model", "network"),
    "size": Group("Data", "network"),
    "optimizer": Group("Optimisation", "optimizer"),
    "targets": Group("Optimisation", "targets"),
    "arithmetic": Group("Running", "arithmetic"),
    "data": Group("Data"),
    "budget": Group("Optimisation"),
    "running": Group("Running"),
    "evaluate": Group("Evaluate"),
    "predict": Group("Predict"),
    "compare": Group("Compare"),
    "export": Group("Export"),
    "report": Group("Report"),
    "search": Group("Search"),
    "ablate": Group("Ablate"),
    "diagnose": Group("Diagnose"),
    "clean": Group("Clean"),
}

# In the order of a help page: a stage's own options, then those of all trainings.
HEADINGS = (
    "Evaluate",
    "Predict",
    "Compare",
    "Export",
    "Report",
    "Search",
    "Ablate",
    "Diagnose",
    "Clean",
    "Data",
    "Model",
    "Optimisation",
    "Augmentation",
    "Running",
)

# Why an option is not searched: it would change the question rather than the answer, or is no hyperparameter.
SAME_IMAGES = "trials have to be compared on the same images"
OTHER_OPTIONS = "it stands for other options"
PRINTED = "it says what is printed"
SPEED = "it is about speed; a difference in accuracy would be chance"


def option(
    default: Any,
    kind: click.ParamType,
    help: str,
    *,
    group: str,
    unsearchable: str | None = None,
    shown_default: str | None = None,
    identifies: bool = True,
) -> Any:
    """Declare an option as a dataclass field.

    group: what it is about, one of GROUPS. unsearchable: why a study cannot search it; None if it can.
    shown_default: what holds where no value is given, in words, if that is not the default.
    identifies: whether the value says what a run is. One that does not (a folder of this machine, the file that
    the values came from) is neither logged nor written to config.yaml.
    Raises ValueError if there is no such group.
    """
    if group not in GROUPS:
        raise ValueError(f"{group} is no group of options; one of {', '.join(GROUPS)} is expected")
    metadata = {
        "kind": kind,
        "help": help,
        "group": group,
        "unsearchable": unsearchable,
        "shown_default": shown_default,
        "identifies": identifies,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The resolved options of a stage.

    given: the names that the user typed or took from a preset or a config. undecided: those whose values the model's
    recipe leaves to the number of training images; until that is known they have the values for many.
    is_tracked: whether the stage is an MLflow run, and an entry point of the project.
    shown_defaults: group -> what holds where an option of it is not given, in words, if that is not its {default}.
    """

    is_tracked: ClassVar[bool] = True
    shown_defaults: ClassVar[Mapping[str, str]] = {}

    given: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()

    workdir: Path = option(
        None,
        click.Path(path_type=Path),
        "folder for prepared data, unfinished trainings and studies",
        group="running",
        unsearchable="it says where files lie",
        shown_default="PIPELINE_WORKDIR, else workdir/ beside pipeline/, or a folder of the user's if `mlflow run` "
        "cloned the project",
        identifies=False,
    )
    quiet: bool = option(
        False,
        click.BOOL,
        "whether to print warnings and errors alone",
        group="running",
        unsearchable=PRINTED,
        identifies=False,
    )
    json: bool = option(
        False,
        click.BOOL,
        "whether to print one JSON object at the end, for scripts; all else goes to stderr, and with quiet nowhere",
        group="running",
        unsearchable=PRINTED,
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig(Config):
    """What a prepared data set is made of, and how."""

    data: str = option(
        "glyphs",
        click.STRING,
        f"what to train on. {'. '.join(docstrings.first_lines(PACKAGE / 'data' / 'sources'))}",
        group="data",
        unsearchable="one study searches on one data set",
    )
    image_size: int = option(64, click.IntRange(8, 1024), "side of the square images, in pixels", group="size")
    resize: str = option(
        "stretch",
        click.Choice(["stretch", "crop", "pad"]),
        "how an image becomes square: stretched, its middle cropped, or padded with black",
        group="input",
    )
    val_fraction: float = option(
        0.1,
        click.FloatRange(0, 0.9, min_open=True),
        "part of each class for validation, if the data has no such split",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    test_fraction: float = option(
        0.1,
        click.FloatRange(0, 0.9, min_open=True),
        "part of each class for the test, if the data has no such split",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    data_seed: int = option(
        0,
        click.IntRange(0, 2**32 - 1),
        "random seed of the splits and of drawing glyphs",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    on_error: str = option(
        "fail",
        click.Choice(["fail", "skip"]),
        "what to do about a file that cannot be read as an image",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    on_conflict: str = option(
        "warn",
        click.Choice(["warn", "drop", "fail"]),
        "what to do about equal files in two classes; drop removes all copies",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    on_leak: str = option(
        "warn",
        click.Choice(["warn", "drop", "fail"]),
        "what to do about equal files and about groups in two splits; drop keeps those in test, else those in val",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    near_duplicates: str = option(
        "no",
        click.Choice(["no", "yes"]),
        "whether on_leak acts on near-duplicates too, images that differ in small changes alone; no: they are counted "
        "and listed",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    path_column: str | None = option(
        None,
        click.STRING,
        "the column of a table that names the images' files, if it has no usual name, such as path or filename",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    label_column: str | None = option(
        None,
        click.STRING,
        "the column of a table that holds the labels, if it has no usual name, such as label or class",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    split_column: str | None = option(
        None,
        click.STRING,
        "the column of a table that holds the splits, if it has no usual name, such as split or subset; none: splits "
        "are cut, whatever the table says",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    group_column: str | None = option(
        None,
        click.STRING,
        "the column of a table that names what an image belongs to, such as a patient, a burst or a video: no group "
        "stands in two splits where splits are cut; where the data have splits, on_leak says what is done",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    group_pattern: str | None = option(
        None,
        GroupPattern(),
        "the same by the images' paths: a regular expression with one group, which is searched in each path",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    exclude: str | None = option(
        None,
        click.STRING,
        "a .csv, .tsv or .parquet file with a column path: images to leave out, such as those whose labels diagnose "
        "finds wrong; the others stay in their splits",
        group="data",
        unsearchable=SAME_IMAGES,
    )
    max_pixels: int = option(
        200_000_000,
        click.IntRange(1),
        "the most pixels that are decoded of one file, of a JPEG as it is reduced while it is read; a larger picture "
        "counts as a file that cannot be read",
        group="data",
        unsearchable=SAME_IMAGES,
    )


@dataclass(frozen=True, kw_only=True)
class EngineConfig(Config):
    """Where the parts of a stage's work are done."""

    engine: str = option(
        "processes",
        click.Choice(["processes", "ray"]),
        "who does the work that can be shared out: processes of this machine, or a Ray cluster",
        group="running",
        identifies=False,
    )
    ray_address: str | None = option(
        None,
        click.STRING,
        "with engine ray, the cluster: auto (the one that this machine is a node of, or RAY_ADDRESS) or HOST:PORT; "
        "without it one is started on this machine, for as long as the command runs",
        group="running",
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class PrepareConfig(EngineConfig, PreprocessConfig):
    """Turn a source of images into a prepared data set: arrays of one size, a digest, a manifest."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(PreprocessConfig):
    """Train one model, and log its metrics epoch by epoch, its curves and the model of its best epoch."""

    model: str = option(
        "resnet",
        ModelType(),
        "the network to train",
        group="network",
        unsearchable="each model has a recipe of its own; to compare models, make a study of each",
    )
    weights: str = option(
        "none",
        click.STRING,
        "initial weights of a Keras network, except for its last layer: none (random), imagenet (downloaded, for a "
        "class of keras.applications), or a .keras or .h5 file of the same architecture",
        group="network",
        unsearchable="trials have to begin with the same weights",
    )
    head_epochs: int = option(
        1,
        click.IntRange(0, 100_000),
        "with weights given: epochs at the beginning that train only the last layer, on what the rest of the network "
        "makes of each image, and of its mirror image where augment mirrors. That is computed once and kept, so that "
        "they take a fraction of a second; they see no crops and no mixtures",
        group="network",
    )
    head_learning_rate: float | None = option(
        None,
        click.FloatRange(0, 100, min_open=True),
        "with weights given: the highest learning rate of head_epochs, which have a warm-up and a schedule of their "
        "own; without it that is learning_rate",
        group="network",
    )
    trained_body: float = option(
        1.0,
        click.FloatRange(0, 1),
        "with weights given: the part of the other layers, from the last one back, that is trained after head_epochs; "
        "0: none, so that all epochs train only the last layer",
        group="network",
    )
    depth: int | None = option(
        None, click.IntRange(1, 100), "how deep the network is: see Models below", group="network"
    )
    width: int | None = option(
        None, click.IntRange(1, 4096), "how wide the network is: see Models below", group="network"
    )
    dropout: float | None = option(
        None, click.FloatRange(0, 0.95), "dropout rate: see Models below for where it acts", group="network"
    )
    whiten: bool | None = option(
        None,
        click.BOOL,
        "whether the network begins with a fixed convolution that decorrelates neighbouring pixels, computed from the "
        "training images (6 points of val_accuracy after four epochs of preset=fast)",
        group="network",
    )
    input_scale: float = option(
        1.0,
        click.FloatRange(0, 1, min_open=True),
        "side of the images that the network takes, as a fraction of image_size; below 1, random crops stay sharp (3 "
        "points of val_accuracy after four epochs of preset=fast)",
        group="size",
    )
    initial_scale: float = option(
        1.0,
        click.FloatRange(0, 1, min_open=True),
        "side of the training images at first, as a fraction of image_size, but at least 12 pixels; it grows to what "
        "the network takes over four fifths of the epochs. Smaller is faster",
        group="size",
    )
    epochs: int = option(
        12,
        click.IntRange(1, 100_000),
        "passes over the training images",
        group="budget",
        unsearchable="it is the budget of every trial, which the pruner cuts",
    )
    patience: int = option(
        0,
        click.IntRange(0, 100_000),
        "stop early after this many epochs without a better score, which objective names; 0 = never",
        group="budget",
        unsearchable="it can only end a trial early, which is the pruner's work",
    )
    objective: str = option(
        "auto",
        click.Choice(["auto", "accuracy", "balanced_accuracy", "loss"]),
        "what the best epoch, trial and champion are chosen by, on val; equals by val_loss. auto: balanced_accuracy, "
        "the mean over classes, where the largest class has at least twice the training images of the smallest, else "
        "accuracy",
        group="budget",
        unsearchable="it says what better means",
    )
    folds: int = option(
        0,
        FoldsType(),
        "K-fold cross-validation: besides the training on train and val, the images of both are divided into so many "
        "folds, and for each fold a network is trained on the others and scored on it. The run has the mean of the "
        "scores with its 95 % interval, and each image's answer from the network that was not trained on it; 0 = none",
        group="budget",
        unsearchable="it says how a trial is scored",
    )
    optimizer: str = option(
        "sgd",
        click.Choice(["sgd", "adamw", "adam"]),
        "sgd has Nesterov momentum of 0.9; adam ignores weight_decay",
        group="optimizer",
    )
    learning_rate: float = option(
        0.2,
        click.FloatRange(0, 100, min_open=True),
        "the highest learning rate, at the end of the warm-up",
        group="optimizer",
    )
    schedule: str = option(
        "linear",
        click.Choice(["constant", "linear", "cosine"]),
        "the learning rate after the warm-up: constant, or decayed to zero linearly or along half a cosine",
        group="optimizer",
    )
    warmup: float = option(
        0.25,
        click.FloatRange(0, 1, max_open=True),
        "part of the training over which the learning rate rises from zero",
        group="optimizer",
    )
    batch_size: int = option(128, click.IntRange(1, 65_536), "images in a training step", group="optimizer")
    weight_decay: float = option(
        5e-4,
        click.FloatRange(0, 10),
        "decoupled, as in AdamW: each step shrinks the weights by learning_rate * weight_decay",
        group="optimizer",
    )
    label_smoothing: float = option(
        0.1,
        click.FloatRange(0, 1, max_open=True),
        "fraction of each target that is spread evenly over all classes",
        group="targets",
    )
    class_weight: str = option(
        "none",
        click.Choice(["none", "balanced"]),
        "balanced weights the loss so that rare classes count as much as frequent ones",
        group="targets",
    )
    augment: str = option(
        "crop",
        click.Choice(["none", "flip", "shift", "crop"]),
        "random change of each training image in each epoch: mirrored (flip), also shifted by up to an eighth (shift), "
        "or also cropped at a random place, size and shape (crop)",
        group="augmentation",
    )
    mirror: str = option(
        "auto",
        click.Choice(["auto", "yes", "no"]),
        "whether augment may mirror images left to right; auto: no for glyphs and for data sets of digits, else yes",
        group="augmentation",
    )
    flips: str = option(
        "alternating",
        click.Choice(["alternating", "random"]),
        "which images augment mirrors: each in every other epoch (up to a point of val_accuracy better after four "
        "epochs), or half of them at random",
        group="augmentation",
    )
    min_crop_area: float = option(
        0.5,
        click.FloatRange(0.05, 1),
        "smallest crop of augment=crop, as a fraction of the image's area; smaller is stronger",
        group="augmentation",
    )
    cutmix: float = option(
        0.0,
        click.FloatRange(0, 1),
        "fraction of the training images that get a square of another image, and as much of its target. For long "
        "trainings: 0.5 costs 4 points of val_accuracy after four epochs",
        group="augmentation",
    )
    standardize: str = option(
        "channel",
        click.Choice(["channel", "global"]),
        "how pixels are scaled to mean 0 and standard deviation 1: each colour channel by itself, or all together",
        group="input",
    )
    precision: str = option(
        "auto",
        click.Choice(["auto", "float32", "bfloat16"]),
        "floating-point type; bfloat16 is Keras's mixed_bfloat16, which auto takes where the processor is faster at it",
        group="arithmetic",
        unsearchable=SPEED,
    )
    devices: int | str = option(
        1,
        DevicesType(),
        "devices of this machine that share out each batch of a Keras network; auto: all GPUs, or the processor",
        group="arithmetic",
        unsearchable=SPEED,
    )
    deterministic: bool = option(
        True,
        click.BOOL,
        "whether the same seed gives the same result to the bit; false allows faster operations that do not",
        group="arithmetic",
        unsearchable=SPEED,
    )
    preset: str | None = option(
        None,
        click.Choice(PRESETS),
        "a named configuration, one of pipeline/presets/",
        group="running",
        unsearchable=OTHER_OPTIONS,
    )
    config: str | None = option(
        None,
        click.STRING,
        "a config.yaml, or the id of a run, whose options to take",
        group="running",
        unsearchable=OTHER_OPTIONS,
        identifies=False,
    )
    seed: int = option(
        0,
        click.IntRange(0, 2**32 - 1),
        "random seed of the training; that of the data is data_seed",
        group="running",
        unsearchable="a study would pick a lucky seed",
    )
    resume: str = option(
        "auto",
        click.STRING,
        "auto continues an interrupted training of the same options and data, if it ran on this machine; never starts "
        "anew; a run id continues that run",
        group="running",
        unsearchable="it says which interrupted training to continue",
        identifies=False,
    )
    test_each_epoch: bool = option(
        False,
        click.BOOL,
        "also score the test split after each epoch, as the reference report did; no model should be chosen by that",
        group="running",
        unsearchable="a search does not open the test split",
    )


@dataclass(frozen=True, kw_only=True)
class TrainWithinConfig(TrainConfig):
    """Train one model, and log its metrics epoch by epoch, its curves and the model of its best epoch."""

    minutes: float | None = option(
        None,
        click.FloatRange(0, 1_000_000, min_open=True),
        "in place of epochs: the time that the command may take, but for preparing the data, which is done once. As "
        "many epochs are trained as fit into it by a pace that is measured first; they are what the run and its "
        "config.yaml have as epochs",
        group="budget",
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(PreprocessConfig):
    """Score a logged model on the test or the validation split.

    The data and its options are those of the evaluated run, unless typed here.
    """

    shown_defaults = dict.fromkeys(("data", "size", "input"), "the evaluated run's")

    run_id: str | None = option(
        None,
        click.STRING,
        "the run whose model to evaluate",
        group="evaluate",
        shown_default="the newest finished training run",
    )
    model_uri: str | None = option(
        None, click.STRING, "MLflow URI of the model to evaluate, instead of run_id", group="evaluate"
    )
    split: str = option("test", click.Choice(["val", "test"]), "the images to evaluate on", group="evaluate")
    calibrate: str = option(
        "no",
        click.Choice(["yes", "no"]),
        "whether probabilities have the temperature applied that training fitted to the validation images",
        group="evaluate",
    )
    unsure_below: float | str | None = option(
        None,
        ThresholdType(),
        "the probability below which an answer does not count; the share of images that is answered and the accuracy "
        "of those answers are scored too; auto: where answers to the validation images have the wanted_accuracy",
        group="evaluate",
    )
    wanted_accuracy: float = option(
        0.95,
        click.FloatRange(0, 1),
        "with unsure_below=auto: the accuracy that the answers to the validation images are to have",
        group="evaluate",
    )
    mirror_predict: bool = option(
        False,
        click.BOOL,
        "whether an answer is the mean of an image's and its mirror image's; it takes twice as long, and is refused "
        "where a mirrored image would not keep its class",
        group="evaluate",
    )


@dataclass(frozen=True, kw_only=True)
class PredictConfig(Config):
    """Answer for images that need no labels, and write a table with a row for each.

    An image is decoded as those that the model was trained on.
    """

    data: str | None = option(
        None,
        click.STRING,
        "the images: an image file, a folder (all its images, however deep), a .txt file with a path per line, a .csv, "
        ".tsv or .parquet file with a column of paths, a .zip or .tar archive, a .npy file, or what data is in train",
        group="predict",
        shown_default="none: it has to be given",
    )
    run_id: str | None = option(
        None,
        click.STRING,
        "the run whose model answers",
        group="predict",
        shown_default="the newest finished training run",
    )
    model_uri: str | None = option(
        None,
        click.STRING,
        "MLflow URI of the model that answers, such as models:/NAME@champion, instead of run_id",
        group="predict",
    )
    output: Path | None = option(
        None,
        click.Path(path_type=Path),
        "the .csv or .parquet file to write; one that is there is replaced",
        group="predict",
        shown_default="predictions.csv in the current folder, or in workdir if `mlflow run` cloned the project",
        identifies=False,
    )
    unsure_below: float | str | None = option(
        None,
        ThresholdType(),
        "the probability below which the column unsure says true: such an image should go to a person; auto: where "
        "answers to the validation images have the wanted_accuracy",
        group="predict",
    )
    wanted_accuracy: float = option(
        0.95,
        click.FloatRange(0, 1),
        "with unsure_below=auto: the accuracy that the answers to the validation images are to have",
        group="predict",
    )
    mirror_predict: bool = option(
        False,
        click.BOOL,
        "whether an answer is the mean of an image's and its mirror image's; it takes twice as long, and is refused "
        "where a mirrored image would not keep its class",
        group="predict",
    )
    path_column: str | None = option(
        None, click.STRING, "the column of a table that names the files, if it has no usual name", group="predict"
    )
    label_column: str | None = option(
        None,
        click.STRING,
        "the column of a table that holds the true labels, if there is one and it has no usual name",
        group="predict",
    )
    max_pixels: int = option(
        200_000_000,
        click.IntRange(1),
        "the most pixels that are decoded of one file, of a JPEG as it is reduced while it is read",
        group="predict",
    )


@dataclass(frozen=True, kw_only=True)
class CompareConfig(Config):
    """Compare two runs on the same images: who wins where, and which classes moved."""

    run_id: str | None = option(
        None,
        click.STRING,
        "the first run",
        group="compare",
        shown_default="the newest finished training run",
    )
    other: str | None = option(
        None,
        click.STRING,
        "the second run",
        group="compare",
        shown_default="the finished training run before the first",
    )
    split: str = option("test", click.Choice(["val", "test"]), "the images to compare on", group="compare")


@dataclass(frozen=True, kw_only=True)
class ExportConfig(PreprocessConfig):
    """Write a logged model in another format, with its preprocessing, once it has proven to answer the same.

    It is asked about the validation images of its run. They and their options are that run's, unless typed here.
    """

    shown_defaults = dict.fromkeys(("data", "size", "input"), "the exported run's")

    run_id: str | None = option(
        None,
        click.STRING,
        "the run whose model to export",
        group="export",
        shown_default="the newest finished training run",
    )
    model_uri: str | None = option(
        None, click.STRING, "MLflow URI of the model to export, instead of run_id", group="export"
    )
    format: str = option(
        "onnx",
        click.Choice(docstrings.modules(EXPORT_FORMATS)),
        "; ".join(
            f"{name}: {said[0].lower()}{said[1:]}" for name, said in docstrings.named_first_lines(EXPORT_FORMATS)
        ),
        group="export",
    )
    quantize: str = option(
        "none",
        click.Choice(["none", "int8"]),
        "int8, for litert: weights and activations of 8 bits, a quarter of the size, their ranges taken from training "
        "images",
        group="export",
    )
    mirror_predict: bool = option(
        False,
        click.BOOL,
        "whether the exported model answers with the mean of its answers to an image and to its mirror image; it takes "
        "twice as long. Not for data that may not be mirrored, such as glyphs",
        group="export",
    )
    output: str | None = option(
        None,
        click.STRING,
        "the file (for saved_model: the folder) to write, or a folder to write it into",
        group="export",
        shown_default="MODEL-DATA and the format's ending, in the current folder",
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Config):
    """Write one HTML page about an experiment: data, trainings, search, scores, mistakes and how to repeat them."""

    runs: str | None = option(
        None,
        click.STRING,
        "the ids of the runs to report on, with commas between them; what is nested in them belongs to them",
        group="report",
        shown_default="all runs of the experiment",
    )
    output: str | None = option(
        None,
        click.STRING,
        "the file to write, or a folder to write it into",
        group="report",
        shown_default="report.html in the current folder",
        identifies=False,
    )


@dataclass(frozen=True, kw_only=True)
class SearchConfig(EngineConfig, TrainConfig):
    """Search hyperparameters with Optuna, train the best in full, and evaluate it on the test split.

    epochs and image_size are those of a trial; what a recipe, a preset or a config says of them is taken for
    final_epochs and final_image_size.
    """

    epochs: int = option(
        12,
        click.IntRange(1, 100_000),
        "epochs of a trial, unless it is pruned",
        group="search",
        shown_default="what the model names for a search, else its recipe, else {default}",
    )
    image_size: int = option(
        64,
        click.IntRange(8, 1024),
        "side of the square images of a trial, in pixels",
        group="search",
        shown_default="what the model names for a search, else its recipe, else {default}",
    )
    folds: int = option(
        0,
        FoldsType(),
        "folds of the images of train and val on which a trial is trained, a network per fold. Its value, and what the "
        "pruner gets after each epoch, is the mean of their scores; 0 = a trial is trained on train and scored on val",
        group="search",
    )
    study: str | None = option(
        None,
        click.STRING,
        "name of the Optuna study; the same name continues it",
        group="search",
        shown_default="MODEL-DATA-SPACE, as resnet-glyphs-core",
    )
    storage: str | None = option(
        None,
        WITHOUT_PASSWORD,
        "Optuna storage URL of the database that holds the study",
        group="search",
        shown_default="the environment's OPTUNA_STORAGE, else SQLite, optuna.db in workdir",
        identifies=False,
    )
    trials: int = option(
        20, click.IntRange(1, 100_000), "complete and pruned trials that the study is to have in all", group="search"
    )
    timeout: float = option(
        0.0, click.FloatRange(0), "seconds after which no further trial starts; 0 = no limit", group="search"
    )
    workers: int = option(
        1,
        click.IntRange(1, 1024),
        "trials that are trained side by side: in processes that share the cores, or with engine ray on any node",
        group="search",
    )
    cpus_per_trial: float = option(
        1.0,
        click.FloatRange(0, 1024, min_open=True),
        "with engine ray, the cores of each worker; a fraction lets workers share one",
        group="search",
        identifies=False,
    )
    gpus_per_trial: float = option(
        0.0,
        click.FloatRange(0, 64),
        "with engine ray, the GPUs of each worker; a fraction lets workers share one",
        group="search",
        identifies=False,
    )
    sampler: str = option(
        "tpe",
        click.Choice(["tpe", "random", "cmaes", "gp"]),
        "Optuna sampler, which picks a trial's values; cmaes and gp need further packages",
        group="search",
    )
    pruner: str = option(
        "hyperband",
        click.Choice(["hyperband", "median", "none"]),
        "Optuna pruner, which stops trials that fall behind",
        group="search",
    )
    space: str = option(
        "core",
        click.STRING,
        "what is searched: core (learning_rate, dropout, depth), wide (also width, weight_decay, label_smoothing, "
        "batch_size and the augmentation's strength), or a YAML file of ranges",
        group="search",
    )
    enqueue: str = option(
        "own",
        click.STRING,
        "configurations that are tried first: own (what would be trained without a search), none, or a YAML file with "
        "a list of them",
        group="search",
    )
    retrain: int = option(
        1, click.IntRange(0, 1000), "how many of the best trials are trained in full at the end", group="search"
    )
    final_epochs: int = option(
        12,
        click.IntRange(1, 100_000),
        "epochs of a training in full",
        group="search",
        shown_default="the model's recipe, or epochs if those are more",
    )
    final_image_size: int = option(
        64,
        click.IntRange(8, 1024),
        "image_size of a training in full",
        group="search",
        shown_default="the model's recipe, or image_size if that is larger",
    )


@dataclass(frozen=True, kw_only=True)
class MainConfig(SearchConfig):
    """Do everything: preprocess, search, train the best in full, and evaluate it on the test split."""


@dataclass(frozen=True, kw_only=True)
class AblateConfig(TrainConfig):
    """Climb from one configuration to another, one change at a time, and say which changes mattered.

    Each end has the options that train would have with its preset, config.yaml or model. What is typed of them holds
    for both ends; a model, for those that name none.
    """

    shown_defaults: ClassVar[Mapping[str, str]] = {
        **{name: "each end's own" for name, group in GROUPS.items() if group.change},
        "data": "what start or goal says, else {default}",
        "budget": "the start's",
    }

    epochs: int = option(
        12,
        click.IntRange(1, 100_000),
        "epochs of each training",
        group="budget",
        shown_default="the goal's",
    )
    preset: str | None = option(
        None, click.Choice(PRESETS), "not here: start and goal take the name of a preset", group="running"
    )
    config: str | None = option(
        None,
        click.STRING,
        "not here: start and goal take a config.yaml or a run id",
        group="running",
        identifies=False,
    )

    start: str = option(
        "reference",
        click.STRING,
        "where the climb begins: a preset, a config.yaml, a run id, or own (the model's own recipe)",
        group="ablate",
    )
    goal: str = option("own", click.STRING, "where the climb ends: one of the same", group="ablate")
    seeds: int = option(
        3, click.IntRange(1, 1000), "trainings of each step of the climb, with seed, seed + 1, ...", group="ablate"
    )
    alone_seeds: int = option(
        1,
        click.IntRange(0, 1000),
        "trainings of each change alone: of the start with it, and of the goal without it; 0 = none",
        group="ablate",
    )
    groups: str | None = option(
        None,
        click.STRING,
        "a YAML file of 'name: [option, option]' lines: options that change together",
        group="ablate",
        shown_default="options on the same subject",
    )


@dataclass(frozen=True, kw_only=True)
class DiagnoseConfig(TrainConfig):
    """Say what holds the accuracy of a training back, how much each remedy would bring, and how sure that is.

    It spends a budget of minutes on small controlled trainings, judged on validation images alone. The same command
    goes on where it stopped. The options of the training are those of run_id, unless typed here.
    """

    run_id: str | None = option(
        None,
        click.STRING,
        "the finished training to diagnose",
        group="diagnose",
        shown_default="none: the training that the other options say is diagnosed",
    )
    minutes: float = option(
        20.0,
        click.FloatRange(0, min_open=True),
        "what all trainings of the diagnosis may take together; those of an earlier call count",
        group="diagnose",
    )
    seeds: int = option(
        2,
        click.IntRange(1, 100),
        "trainings of what matters most, with seed, seed + 1, ..., as far as the budget goes",
        group="diagnose",
    )


@dataclass(frozen=True, kw_only=True)
class CleanConfig(Config):
    """List what lies in the work folder, and remove what can be made again and nothing unfinished needs.

    Prepared data, unpacked archives, what finished trainings left, and what was half written: it asks first. MLflow's
    runs, the studies, and all that an unfinished training or study needs stay. It is no MLflow run.
    """

    is_tracked: ClassVar[bool] = False

    yes: bool = option(False, click.BOOL, "remove it without a question, for scripts", group="clean")


STAGES: dict[str, type[Config]] = {
    "preprocess": PrepareConfig,
    "train": TrainWithinConfig,
    "evaluate": EvaluateConfig,
    "predict": PredictConfig,
    "compare": CompareConfig,
    "export": ExportConfig,
    "report": ReportConfig,
    "search": SearchConfig,
    "ablate": AblateConfig,
    "diagnose": DiagnoseConfig,
    "main": MainConfig,
    "clean": CleanConfig,
}


def fields_of(config: Config | type[Config]) -> list[dataclasses.Field]:
    """The fields of a configuration that are options."""
    return [field for field in dataclasses.fields(config) if "kind" in field.metadata]


def part(config: Config, kind: type[Config]) -> Any:
    """The options that `kind` has, taken from the wider `config`, as a `kind`."""
    values = {field.name: getattr(config, field.name) for field in fields_of(kind)}
    return kind(**values, given=config.given, undecided=config.undecided.intersection(values))
