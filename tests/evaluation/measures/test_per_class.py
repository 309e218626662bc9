import pytest
from answers import LABELS, NAMES, PROBABILITIES

from pipeline.evaluation.measures.per_class import per_class


def test_per_class_names_what_a_class_is_taken_for():
    table = per_class(LABELS, PROBABILITIES, NAMES)
    assert table["images"].tolist() == [2, 2, 2]
    assert table["recall"].tolist() == [0.5, 1.0, 0.5]
    assert (table["recall_low"] < table["recall"]).all()
    assert (table["recall_high"] - table["recall"]).tolist() == pytest.approx([0.4055, 0.0, 0.4055], abs=1e-3)
    assert table["most_often_taken_for"].tolist() == ["b", "", "a"]
