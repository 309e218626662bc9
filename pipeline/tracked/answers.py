"""What a logged model answers to the images of a split, as an evaluation asks for it."""

import numpy as np

from pipeline import tracking
from pipeline.config import AUTO, EvaluateConfig, PredictConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.evaluation import calibration
from pipeline.evaluation.contract import Answers


def answers(model: tracking.LoggedModel, data: Prepared, config: EvaluateConfig) -> Answers:
    """The answers, with the model's temperature applied if that is asked for, and what measures ask about them.

    Raises UserError if the network's answers are no numbers.
    """
    split = data[config.split]
    plain = model.classifier.probabilities
    calibrated = config.calibrate == "yes"

    def predict(images: np.ndarray) -> np.ndarray:
        return _with_temperature(plain(images), model) if calibrated else plain(images)

    def heat_maps(images: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
        seen = np.concatenate(list(model.classifier.preprocessing.seen(images)))
        return model.classifier.network.heat_maps(seen, classes)

    images = split.images[:]
    given = plain(images)
    if wrong := int(np.sum(~np.isfinite(given).all(axis=1))):
        raise UserError(
            f"the model of run {model.run_id} answers {wrong:,} of {len(given):,} images with NaN in place of "
            "probabilities; train it anew, with a smaller --learning_rate or with --precision float32"
        )
    shown = _with_temperature(given, model) if calibrated else given
    return Answers(
        split=config.split,
        images=images,
        labels=split.labels,
        paths=split.paths,
        class_names=data.facts.class_names,
        probabilities=shown,
        predict=predict,
        temperature=model.temperature,
        uncalibrated=given if calibrated else None,
        unsure=_unsure(config, model, given, shown),
        heat_maps=heat_maps,
        mirrorable=data.facts.mirrorable,
        # Of other data it is not known what the model learned from.
        training_images=None if "data" in config.given else np.array(data.facts.counts["train"]),
        network_bytes=model.bytes,
        contents=split.contents,
    )


def check_certainty(config: EvaluateConfig, model: tracking.LoggedModel) -> None:
    """Raise UserError if the model does not have what calibrate or unsure_below asks for."""
    if config.calibrate == "yes" and model.temperature is None:
        raise UserError(
            f"--calibrate yes: the model of run {model.run_id} was logged without a temperature; one that is trained "
            "now has it"
        )
    threshold_of(config, model)


def threshold_of(config: EvaluateConfig | PredictConfig, model: tracking.LoggedModel) -> float | None:
    """The certainty below which an answer does not count; None if all count.

    Raises UserError if it is to be the model's own, and the model has none.
    """
    if config.unsure_below != AUTO:
        return None if config.unsure_below is None else float(config.unsure_below)
    of_model = f"the model of run {model.run_id}"
    if not model.certainty:
        raise UserError(
            f"--unsure_below auto: {of_model} was logged without a curve of its certainty; give a number from 0 to 1"
        )
    found = calibration.threshold_for(model.certainty, config.wanted_accuracy)
    if found is None:
        _, best, answered = max(model.certainty, key=lambda row: row[1])
        raise UserError(
            f"--wanted_accuracy {config.wanted_accuracy:g}: {of_model} is right that often at no certainty; on the "
            f"validation images the most is {best:.1%}, with {answered:.0%} answered"
        )
    return found


def _with_temperature(probabilities: np.ndarray, model: tracking.LoggedModel) -> np.ndarray:
    assert model.temperature is not None
    return calibration.with_temperature(probabilities, model.temperature)


def _unsure(
    config: EvaluateConfig, model: tracking.LoggedModel, given: np.ndarray, shown: np.ndarray
) -> np.ndarray | None:
    """Which answers are too uncertain to count, (n,) bool; None if all count.

    given, shown: the probabilities without the temperature, and as they are asked for.
    """
    threshold = threshold_of(config, model)
    if threshold is None:
        return None
    # The stored curve is of probabilities without the temperature.
    certainty = (given if config.unsure_below == AUTO else shown).max(axis=1)
    # The threshold is compared as it is stored: rounded to float32 it may pass an answer that lies beside it.
    return certainty.astype(np.float64) < threshold
