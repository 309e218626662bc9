import numpy as np
import pytest
from answers import LABELS, PROBABILITIES, six

from pipeline.evaluation.measures import coverage


def test_the_less_is_answered_the_higher_the_threshold():
    table = coverage.measure(six()).tables["coverage"]
    assert table["threshold"].is_monotonic_increasing
    assert table["answered"].is_monotonic_decreasing
    assert table["images"].iloc[0] == len(LABELS)
    assert table["accuracy"].iloc[0] == pytest.approx(4 / 6)


def test_what_is_answered_at_the_chosen_certainty_is_scored():
    found = coverage.measure(six(unsure=PROBABILITIES.max(axis=1) < 0.65))
    assert found.metrics["answered"] == pytest.approx(4 / 6)
    assert found.metrics["answered_accuracy"] == 1
    assert found.metrics["answered_accuracy_low"] < 1


def test_where_nothing_is_certain_enough_there_is_no_accuracy():
    assert coverage.measure(six(unsure=np.ones(6, bool))).metrics == {"answered": 0}
    assert coverage.measure(six()).metrics == {}
