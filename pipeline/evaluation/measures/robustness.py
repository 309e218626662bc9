"""What a model still recognises in images that are blurred, noisy, compressed, dark or turned."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline import figures
from pipeline.data.disturbances import DISTURBANCES
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson

COSTLY = True
# Fifteen times as many are predicted.
MOST_IMAGES = 250
SEED = 0
NONE = "none"


def measure(answers: Answers) -> Findings:
    """The accuracy under five disturbances at three strengths each, on the same images, drawn at random with a seed."""
    chosen = _chosen(len(answers.labels))
    images, labels = answers.images[chosen], answers.labels[chosen]
    rows = [_row(NONE, 0, "", labels, answers.probabilities[chosen])]
    examples = {}
    for name, strength, setting, disturbed in _disturbed(images):
        rows.append(_row(name, strength, setting, labels, answers.predict(disturbed)))
        examples[name, strength] = disturbed[0]
    table = pd.DataFrame(rows)
    table["change"] = table["accuracy"] - table["accuracy"].iloc[0]
    title = f"{answers.split}: accuracy of disturbed images ({len(chosen):,} of {len(answers.labels):,})"
    return Findings(
        metrics={"disturbed_accuracy": float(table["accuracy"].iloc[1:].mean())},
        tables={"robustness": table},
        figures={"robustness": figures.robustness(table, examples, title)},
    )


def _chosen(images: int) -> np.ndarray:
    """The places of some images, in ascending order."""
    count = min(images, MOST_IMAGES)
    return np.sort(np.random.default_rng(SEED).choice(images, count, replace=False))


def _disturbed(images: np.ndarray) -> Iterator[tuple[str, int, str, np.ndarray]]:
    """Name, strength (1 to 3), what that is in words, and the images disturbed by it."""
    for name, (disturb, written, strengths) in DISTURBANCES.items():
        for strength, value in enumerate(strengths, 1):
            rng = np.random.default_rng((SEED, strength))
            yield name, strength, written.format(value), disturb(images, value, rng)


def _row(name: str, strength: int, setting: str, labels: np.ndarray, probabilities: np.ndarray) -> dict:
    correct = probabilities.argmax(axis=1) == labels
    low, high = wilson(correct.sum(), np.array(len(labels)))
    return {
        "disturbance": name,
        "strength": strength,
        "setting": setting,
        "images": len(labels),
        "accuracy": float(correct.mean()),
        "accuracy_low": float(low),
        "accuracy_high": float(high),
    }
