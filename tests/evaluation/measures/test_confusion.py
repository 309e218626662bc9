import numpy as np
from answers import LABELS, NAMES, PROBABILITIES

from pipeline.evaluation.measures.confusion import confusion, confusion_table


def test_rows_are_true_classes_and_columns_predicted_ones():
    counts = confusion(LABELS, PROBABILITIES)
    assert np.array_equal(counts, [[1, 1, 0], [0, 2, 0], [1, 0, 1]])
    table = confusion_table(counts, NAMES)
    assert table.columns.tolist() == ["true_class", *NAMES]
    assert table.loc[table["true_class"] == "a", "b"].item() == 1
