"""How much is answered, and how much of that is right, if only certain answers count."""

import pandas as pd

from pipeline import figures
from pipeline.evaluation.calibration import certainty_curve
from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import wilson


def measure(answers: Answers) -> Findings:
    """The accuracy against the share of images that is answered, and both at the chosen certainty, if one was."""
    images = len(answers.labels)
    table = pd.DataFrame(
        certainty_curve(answers.labels, answers.probabilities), columns=["threshold", "accuracy", "answered"]
    )
    count = (table["answered"] * images).round()
    low, high = wilson((table["accuracy"] * count).round().to_numpy(), count.to_numpy())
    table = table.assign(images=count.astype(int), accuracy_low=low, accuracy_high=high)
    metrics = {} if answers.unsure is None else _at_the_chosen(answers)
    title = f"{answers.split}: how much is answered at which certainty, and how much of it is right"
    figure = figures.coverage(table, title, metrics.get("answered"), metrics.get("answered_accuracy"))
    return Findings(metrics=metrics, tables={"coverage": table}, figures={"coverage": figure})


def _at_the_chosen(answers: Answers) -> dict[str, float]:
    assert answers.unsure is not None
    answered = ~answers.unsure
    metrics = {"answered": float(answered.mean())}
    if not answered.any():
        return metrics
    correct = (answers.probabilities.argmax(axis=1) == answers.labels)[answered]
    low, high = wilson(correct.sum(), answered.sum())
    return metrics | {
        "answered_accuracy": float(correct.mean()),
        "answered_accuracy_low": float(low),
        "answered_accuracy_high": float(high),
    }
