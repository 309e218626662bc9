"""Answers for images as MLflow sees them: a child of the run whose model answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import USER_WORKDIR, PredictConfig
from pipeline.data.batches import prefetched
from pipeline.data.decoded import Decoded, decoded
from pipeline.data.pictures import Pictures, find_pictures
from pipeline.errors import UserError, shown
from pipeline.serving.classifier import ImageClassifier
from pipeline.terminal import progress_bar
from pipeline.tracked import descriptions
from pipeline.tracked.answers import threshold_of
from pipeline.tracked.answers_file import CSV, AnswersFile

OUTPUT = f"predictions{CSV}"
TOP = 5


@dataclass
class Asked:
    """What is answered, by what and how. threshold: the probability below which an answer is unsure, if any."""

    pictures: Pictures
    model: tracking.LoggedModel
    threshold: float | None

    @property
    def has_labels(self) -> bool:
        return bool(self.pictures.table["true_label"].notna().any())

    def columns(self) -> dict[str, type]:
        """The columns of the answers, and of what kind each is."""
        ranks = range(2, min(TOP, len(self.model.classifier.class_names)) + 1)
        columns: dict[str, type] = {"path": str, "label": str, "probability": float}
        for rank in ranks:
            columns |= {f"label_{rank}": str, f"probability_{rank}": float}
        if self.threshold is not None:
            columns["unsure"] = bool
        if self.has_labels:
            columns["true_label"] = str
        return columns | {"error": str}


@dataclass
class Told:
    """What came out so far. first: row -> image and answer, of the first images; errors: the first few reasons."""

    answered: int = 0
    unreadable: int = 0
    unsure: int = 0
    labelled: int = 0
    right: int = 0
    first: dict[int, tuple[np.ndarray, tuple[str, float, str | None, str]]] = field(default_factory=dict)
    ranked: list[tuple[str, float]] = field(default_factory=list)
    error: str | None = None

    def metrics(self, seconds: float) -> dict[str, float]:
        """What is logged of it."""
        found: dict[str, float] = {
            "images": self.answered,
            "unreadable": self.unreadable,
            "images_per_second": self.answered / seconds,
        }
        return found | ({"predict_accuracy": self.right / self.labelled} if self.labelled else {})


def predict_tracked(config: PredictConfig) -> str:
    """Answer for the images that `config.data` names, and write a table with a row for each.

    Returns the id of the run, a child of the model's run, that holds the table too. Raises UserError if there is no
    such model, no image, none that can be read, or if the model does not have what an option asks for.
    """
    output = config.output or _usual_output(config)
    with tracking.run("predict", f"predict {Path(config.data or '').name}") as run:
        model = tracking.load_model(config.run_id, config.model_uri, config.mirror_predict)
        run.nest_in(model.run_id)
        run.set_tags({"model": tracking.tags_of(model.run_id).get("model", "")})
        run.log_params(options.identity(config) | {"model_of_run": model.run_id})
        threshold = threshold_of(config, model)
        asked = Asked(find_pictures(config, model.classifier.class_names), model, threshold)
        started = time.monotonic()
        with AnswersFile(output, asked.columns()) as file:
            told = _answer(asked, file, config.max_pixels)
        run.log_metrics(told.metrics(time.monotonic() - started))
        run.log_file(output)
        if not told.answered:
            raise UserError(f"none of the {told.unreadable:,} files of --data could be read as an image: {told.error}")
        _log_sheet(run, asked, told)
        said = _said(asked, told)
        run.describe(descriptions.page(f"Answers for the images of {config.data}.", f"{said}."))
    if len(asked.pictures.table) == 1:
        print(_in_a_line(asked, told.ranked))
    print(f"run {run.id}: {said}")
    print(f"  {output}")
    print(f"  {tracking.run_address(run)}")
    return run.id


def _usual_output(config: PredictConfig) -> Path:
    # The current folder of a temporary clone is gone afterwards.
    return (config.workdir if config.workdir == USER_WORKDIR else Path.cwd()) / OUTPUT


def _answer(asked: Asked, file: AnswersFile, max_pixels: int) -> Told:
    """Answer for all pictures, and write the rows as they come."""
    told, table = Told(), asked.pictures.table
    _add_errors(asked, file, told, table["error"].dropna().to_dict())
    classifier = asked.model.classifier
    with progress_bar(total=len(table), initial=told.unreadable, desc="predict", unit="image") as bar:
        parts = decoded(asked.pictures, classifier.preprocessing, max_pixels)
        # The network does not wait for what is written.
        for part, probabilities in prefetched((part, _probabilities(classifier, part)) for part in parts):
            _add_errors(asked, file, told, part.errors)
            if part.rows:
                _add_answers(asked, file, told, part, probabilities)
            bar.update(len(part.rows) + len(part.errors))
    return told


def _add_errors(asked: Asked, file: AnswersFile, told: Told, errors: dict[int, str]) -> None:
    if not errors:
        return
    rows = asked.pictures.table.loc[list(errors), ["name", "true_label"]]
    file.add(rows.rename(columns={"name": "path"}).assign(error=list(errors.values())))
    told.unreadable += len(errors)
    row, why = next(iter(errors.items()))
    told.error = told.error or f"{shown(rows.loc[row, 'name'])}: {why}"


def _probabilities(classifier: ImageClassifier, part: Decoded) -> np.ndarray:
    return classifier.probabilities(part.images) if part.rows else np.empty((0, len(classifier.class_names)))


def _add_answers(asked: Asked, file: AnswersFile, told: Told, part: Decoded, probabilities: np.ndarray) -> None:
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    found = np.take_along_axis(probabilities, best, axis=1).astype(np.float64)
    labels = np.array(asked.model.classifier.class_names, dtype=object)[best]
    known = asked.pictures.table.loc[part.rows]
    truths = known["true_label"]
    columns: dict[str, Any] = {"path": known["name"], "label": labels[:, 0], "probability": found[:, 0]}
    for rank in range(1, best.shape[1]):
        columns |= {f"label_{rank + 1}": labels[:, rank], f"probability_{rank + 1}": found[:, rank]}
    unsure = found[:, 0] < (asked.threshold or 0)
    file.add(pd.DataFrame({**columns, "unsure": unsure, "true_label": truths}, index=part.rows))
    for number in range(len(part.rows)):
        if (row := part.rows[number]) < figures.MOST_ANSWERS:
            answer = labels[number, 0], found[number, 0], truths.iloc[number], known["name"].iloc[number]
            told.first[row] = part.images[number], answer
    told.ranked = told.ranked or list(zip(labels[0], found[0].tolist(), strict=True))
    told.answered += len(part.rows)
    told.unsure += int(unsure.sum())
    told.labelled += int(truths.notna().sum())
    told.right += int((truths == labels[:, 0]).sum())


def _log_sheet(run: tracking.Run, asked: Asked, told: Told) -> None:
    """Log a figure of the first images with their answers."""
    if not told.first:
        return
    images, said = zip(*(told.first[row] for row in sorted(told.first)), strict=True)
    title = f"The first {len(images)} of {told.answered:,} images" if told.answered > 1 else "The image"
    run.log_figure("answers", figures.answer_sheet(np.stack(images), said, title))


def _said(asked: Asked, told: Told) -> str:
    """What came out, in words."""
    images = "1 image" if told.answered == 1 else f"{told.answered:,} images"
    said = [f"{images} answered by {asked.model.uri}"]
    if told.unreadable:
        said.append(f"{told.unreadable:,} could not be read (column error)")
    if asked.threshold is not None:
        said.append(f"{told.unsure:,} are unsure, below {asked.threshold:g}")
    if told.labelled:
        said.append(f"{told.right / told.labelled:.1%} of the {told.labelled:,} with a true label are right")
    if asked.pictures.ignored:
        said.append(f"{asked.pictures.ignored:,} files and folders are no images")
    return "; ".join(said)


def _in_a_line(asked: Asked, ranked: Sequence[tuple[str, float]]) -> str:
    (label, probability), *others = ranked
    name = shown(asked.pictures.table["name"].iloc[0].rpartition("/")[2])
    also = ", ".join(f"{shown(other)} {value:.1%}" for other, value in others)
    unsure = " (unsure)" if asked.threshold is not None and probability < asked.threshold else ""
    return f"{name}: {shown(label)} {probability:.1%}{unsure}{f'; {also}' if also else ''}"
