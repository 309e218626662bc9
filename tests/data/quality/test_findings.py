"""What is said of pictures and classes that are unlike the others."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.quality.findings import findings, has_odd_shape, is_tiny


def sized(*sizes):
    return pd.DataFrame(sizes, columns=["width", "height"])


def looked_at(count=40, **columns):
    table = pd.DataFrame(
        {"path": [f"{number:03d}.png" for number in range(count)], "label": np.arange(count) % 2, "split": "train"}
    )
    facts = {"width": 300, "height": 200, "one_colour": False, "near": "", "near_split": "", "distance": 0}
    return table.assign(**(facts | {"equal": False, "dropped": False} | columns))


def test_a_tiny_picture_is_small_beside_the_others_and_beside_what_it_becomes():
    assert is_tiny(sized(*[(300, 200)] * 9, (31, 400)), 64).tolist() == [False] * 9 + [True]
    assert not is_tiny(sized(*[(300, 200)] * 9, (33, 400)), 64).any()
    assert not is_tiny(sized(*[(28, 28)] * 10), 64).any(), "all are alike"


def test_an_odd_shape_is_twice_as_long_as_usual_whichever_way_it_lies():
    usual = [(300, 200), (200, 300), (320, 240), (240, 320)] * 5
    assert not has_odd_shape(sized(*usual)).any()
    assert has_odd_shape(sized(*usual, (1000, 100), (100, 1000))).tolist()[-3:] == [False, True, True]
    lines = [(600, 100), (700, 100), (650, 100)] * 5
    assert has_odd_shape(sized(*lines, (100, 100))).tolist()[-2:] == [False, True]


def test_shapes_that_all_differ_are_no_finding():
    rng = np.random.default_rng(0)
    sizes = np.stack([100 * np.exp(rng.normal(0, 1, 200)), np.full(200, 100)], axis=1).astype(int)
    assert has_odd_shape(sized(*sizes)).mean() < 0.02


def test_each_finding_is_a_row_in_words():
    table = looked_at(5, near=["x.png", "", "y.png", "", ""], near_split="val", distance=3)
    table = table.assign(equal=table.index == 2, one_colour=table.index == 3, dropped=table.index == 0)
    found = findings(table, 64, ["cat", "dog"])
    assert found[["path", "class", "finding"]].to_numpy().tolist() == [
        ["000.png", "cat", "near-duplicate of x.png in val, 3 of 64 bits apart, dropped"],
        ["002.png", "cat", "equal file: the same as y.png in val"],
        ["003.png", "dog", "one colour"],
    ]


@pytest.mark.parametrize(("images", "small"), [(4, True), (5, False)])
def test_a_class_with_a_tenth_of_the_largest_is_small(images, small):
    table = looked_at(40 + images).assign(label=[0] * 40 + [1] * images)
    found = findings(table, 64, ["cat", "dog"])
    assert found["finding"].tolist() == ["small class: 4 images, the largest class has 40"] * small


def test_there_may_be_nothing_to_say():
    assert findings(looked_at(), 64, ["cat", "dog"]).empty
