from pathlib import Path

import pytest
from answers import drawn, six

from pipeline.evaluation.measures import NAMES as MEASURES
from pipeline.evaluation.measures import findings


def names_of(found):
    return {name for each in found for name in (*each.metrics, *each.tables, *each.parquet, *each.figures)}


@pytest.fixture(scope="module")
def found():
    return list(findings(drawn(5)))


def test_every_file_among_the_measures_is_one_and_says_something(found):
    assert len(found) == len(MEASURES)
    assert {"accuracy", "ece", "confusion_matrix", "per_class", "predictions", "mistakes"} <= names_of(found)


def test_the_page_on_evaluation_names_all_that_is_found(found):
    page = (Path(__file__).parents[3] / "docs" / "evaluate.md").read_text(encoding="utf-8")
    metrics = {name for each in found for name in (*each.metrics, *each.of_model)}
    for name in names_of(found) | metrics:
        assert name.removesuffix("_low").removesuffix("_high") in page, name


def test_those_that_ask_the_model_again_can_be_left_out():
    def refuse(*asked):
        raise AssertionError("the model was asked")

    cheap = names_of(findings(drawn(5, predict=refuse, heat_maps=refuse), costly=False))
    assert {"accuracy", "calibration", "coverage", "confused_pairs"} <= cheap
    assert not {"robustness", "latency", "mirrored", "grad_cam"} & cheap


def test_what_does_not_apply_is_left_out():
    assert not {"mirrored", "grad_cam", "class_sizes"} & names_of(findings(six()))


LONG = ["boa_constrictor", "great grey owl, Strix nebulosa, of the northern forests", "cat", "WIDE " * 20]


@pytest.mark.parametrize("classes", [2, 50, 1000])
def test_nothing_of_any_figure_is_cut_off(classes):
    names = [f"{LONG[number % len(LONG)]} {number}" for number in range(classes)]
    for found in findings(drawn(classes, names=names)):
        for name, figure in found.figures.items():
            figure.draw_without_rendering()
            box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
            assert box.x0 >= -0.03, name
            assert box.y0 >= -0.03, name
            assert box.x1 <= width + 0.03, name
            assert box.y1 <= height + 0.03, name
