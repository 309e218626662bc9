import numpy as np
from answers import LABELS, NAMES, PROBABILITIES

from pipeline.evaluation.contract import Answers
from pipeline.evaluation.measures import NAMES as MEASURES
from pipeline.evaluation.measures import findings, mistakes


def answers():
    images = np.zeros((len(LABELS), 8, 8, 3), np.uint8)
    return Answers("val", images, LABELS, list("uvwxyz"), NAMES, PROBABILITIES, predict=lambda images: PROBABILITIES)


def test_the_sheet_shows_each_mistake_once():
    sheet = mistakes.measure(answers()).figures["mistakes"]
    assert sum(bool(axes.get_images()) for axes in sheet.axes) == 2


def test_every_file_among_the_measures_is_one():
    found = list(findings(answers()))
    assert len(found) == len(MEASURES)
    names = [name for each in found for name in (*each.metrics, *each.tables, *each.parquet, *each.figures)]
    assert {"accuracy", "ece", "confusion_matrix", "per_class", "predictions", "mistakes"} <= set(names)
