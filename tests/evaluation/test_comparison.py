import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from pipeline.evaluation.comparison import compare, mcnemar
from pipeline.search.champion import sentence_of, tags_of


def predictions(correct):
    return pd.DataFrame({"path": [f"{number}.png" for number in range(len(correct))], "correct": correct})


def test_a_model_better_by_more_than_chance_wins():
    old = np.arange(200) % 2 == 0
    new = old | (np.arange(200) < 40)
    compared = compare(predictions(new), predictions(old).sample(frac=1, random_state=0))
    assert compared.new_is_better
    assert (compared.only_new, compared.only_old) == (20, 0)
    assert tags_of(compared)["champion_decision"] == "champion"
    assert "takes the alias champion" in sentence_of(compared, "version 1")


def test_one_that_is_better_by_chance_or_worse_does_not():
    old = np.arange(200) % 2 == 0
    slightly = old.copy()
    slightly[[1, 3]] = True
    assert not compare(predictions(slightly), predictions(old)).new_is_better
    worse = old & (np.arange(200) > 60)
    compared = compare(predictions(worse), predictions(old))
    assert compared.p < 0.05
    assert not compared.new_is_better
    assert "does not take" in sentence_of(compared, "version 1")


@pytest.mark.parametrize(("first", "second"), [(9, 1), (3, 3), (0, 6), (0, 0)])
def test_mcnemar_is_the_two_sided_sign_test_of_the_images_that_differ(first, second):
    correct = np.array([True] * first + [False] * second + [True] * 5)
    other = np.array([False] * first + [True] * second + [True] * 5)
    total = first + second
    expected = min(1.0, 2 * binom.cdf(min(first, second), total, 0.5)) if total else 1.0
    only_first, only_second, p = mcnemar(correct, other)
    assert (only_first, only_second) == (first, second)
    assert p == pytest.approx(expected)
