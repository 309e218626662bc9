import dataclasses

import numpy as np
import pytest
from answers import LABELS, PROBABILITIES, drawn, six

from pipeline.evaluation.calibration import with_temperature
from pipeline.evaluation.measures import calibration
from pipeline.evaluation.measures.scores import expected_calibration_error


def test_each_bin_says_how_sure_and_how_right_it_is():
    table = calibration.reliability(LABELS, PROBABILITIES)
    assert table["images"].sum() == len(LABELS)
    gaps = table["images"] * (table["accuracy"] - table["confidence"]).abs() / len(LABELS)
    assert gaps.sum() == pytest.approx(expected_calibration_error(LABELS, PROBABILITIES))
    assert (table["accuracy_low"] <= table["accuracy"]).all()


def test_before_and_after_are_the_same_whichever_of_them_is_shown():
    plain = drawn(10)
    with_it = with_temperature(plain.probabilities, plain.temperature)
    warm = dataclasses.replace(plain, probabilities=with_it, uncalibrated=plain.probabilities)
    shown, other = (calibration.measure(each) for each in (plain, warm))
    assert set(shown.metrics) == {f"ece_{name}{end}" for name in ("before", "after") for end in ("", "_low", "_high")}
    for name, value in shown.metrics.items():
        assert other.metrics[name] == value
    assert shown.of_model == {"temperature": 1.4}


def test_a_model_without_a_temperature_has_but_one_diagram():
    found = calibration.measure(six())
    assert "ece_after" not in found.metrics
    assert found.of_model == {}
    assert set(found.tables["calibration"]["probabilities"]) == {"as the network gives them"}
    assert np.isfinite(found.metrics["ece_before"])
