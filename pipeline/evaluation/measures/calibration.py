"""Whether a model is right as often as it says, before and after a temperature."""

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.evaluation.calibration import with_temperature
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.measures.scores import (
    CALIBRATION_BINS,
    bin_of,
    calibration_interval,
    expected_calibration_error,
)

BEFORE, AFTER = "as the network gives them", "with the temperature"


def measure(answers: Answers) -> Findings:
    """The reliability diagram, and the calibration error before and after the temperature that was fitted on val."""
    versions = _versions(answers)
    tables = {name: reliability(answers.labels, probabilities) for name, probabilities in versions.items()}
    errors = {name: _error(answers.labels, probabilities) for name, probabilities in versions.items()}
    metrics = _metrics("ece_before", errors[BEFORE])
    if AFTER in errors:
        metrics |= _metrics("ece_after", errors[AFTER])
    whole = pd.concat([table.assign(probabilities=name) for name, table in tables.items()])
    of_model = {} if answers.temperature is None else {"temperature": answers.temperature}
    return Findings(
        metrics=metrics,
        of_model=of_model,
        tables={"calibration": whole[["probabilities", *next(iter(tables.values())).columns]]},
        figures={"calibration": figures.reliability(tables, errors, _title(answers))},
    )


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """One row per bin that holds an image: from, to, images, confidence (the mean), accuracy and its 95 % interval."""
    certainty = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = bin_of(certainty)
    counts, hits = np.bincount(bins, minlength=CALIBRATION_BINS), np.bincount(bins, correct, CALIBRATION_BINS)
    sums = np.bincount(bins, certainty, CALIBRATION_BINS)
    low, high = wilson(hits, counts)
    edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
    seen = counts > 0
    images = counts[seen]
    return pd.DataFrame(
        {
            "from": edges[:-1][seen],
            "to": edges[1:][seen],
            "images": images,
            "confidence": sums[seen] / images,
            "accuracy": hits[seen] / images,
            "accuracy_low": low[seen],
            "accuracy_high": high[seen],
        }
    )


def _versions(answers: Answers) -> dict[str, np.ndarray]:
    if answers.uncalibrated is not None:
        return {BEFORE: answers.uncalibrated, AFTER: answers.probabilities}
    if answers.temperature is not None:
        after = with_temperature(answers.probabilities, answers.temperature)
        return {BEFORE: answers.probabilities, AFTER: after}
    return {BEFORE: answers.probabilities}


def _error(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float, float]:
    return expected_calibration_error(labels, probabilities), *calibration_interval(labels, probabilities)


def _metrics(name: str, error: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), error, strict=True))


def _title(answers: Answers) -> str:
    said = f" (temperature {answers.temperature:.2f}, fitted on val)" if answers.temperature is not None else ""
    return f"{answers.split}: is the model right as often as it says?{said}"
