import numpy as np
from answers import six

from pipeline.evaluation.measures import confused_pairs


def test_pairs_stand_in_the_order_of_how_often_they_are_confused():
    counts = np.array([[5, 0, 3], [1, 6, 0], [0, 0, 7]])
    table = confused_pairs.confused_pairs(counts, ["a", "b", "c"])
    assert table.to_dict("records") == [
        {"true": "a", "predicted": "c", "images": 3, "of": 8, "part": 3 / 8, "reverse": 0},
        {"true": "b", "predicted": "a", "images": 1, "of": 7, "part": 1 / 7, "reverse": 0},
    ]


def test_the_figure_has_a_row_a_pair():
    found = confused_pairs.measure(six())
    titles = [axes.get_title(loc="left") for axes in found.figures["confused_pairs"].axes]
    assert titles[0] == "true a\npredicted as on the right: 1 of 2 images"
    assert len(titles) == 2 * len(found.tables["confused_pairs"]) == 4


def test_without_a_mistake_there_is_no_pair():
    assert confused_pairs.measure(six(mirrorable=True)) is not None
    right = six()
    object.__setattr__(right, "labels", right.probabilities.argmax(axis=1))
    assert confused_pairs.measure(right) is None
