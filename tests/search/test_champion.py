import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from pipeline import metrics
from pipeline.search.champion import decide


def predictions(correct):
    return pd.DataFrame({"path": [f"{number}.png" for number in range(len(correct))], "correct": correct})


def test_a_model_better_by_more_than_chance_wins():
    old = np.arange(200) % 2 == 0
    new = old | (np.arange(200) < 40)
    decision = decide(predictions(new), predictions(old).sample(frac=1, random_state=0))
    assert decision.wins
    assert (decision.only_new, decision.only_old) == (20, 0)
    assert decision.tags()["champion_decision"] == "champion"
    assert "takes the alias champion" in decision.sentence("version 1")


def test_one_that_is_better_by_chance_or_worse_does_not():
    old = np.arange(200) % 2 == 0
    slightly = old.copy()
    slightly[[1, 3]] = True
    assert not decide(predictions(slightly), predictions(old)).wins
    worse = old & (np.arange(200) > 60)
    decision = decide(predictions(worse), predictions(old))
    assert decision.p < 0.05
    assert not decision.wins
    assert "does not take" in decision.sentence("version 1")


@pytest.mark.parametrize(("first", "second"), [(9, 1), (3, 3), (0, 6), (0, 0)])
def test_mcnemar_is_the_two_sided_sign_test_of_the_images_that_differ(first, second):
    correct = np.array([True] * first + [False] * second + [True] * 5)
    other = np.array([False] * first + [True] * second + [True] * 5)
    total = first + second
    expected = min(1.0, 2 * binom.cdf(min(first, second), total, 0.5)) if total else 1.0
    only_first, only_second, p = metrics.mcnemar(correct, other)
    assert (only_first, only_second) == (first, second)
    assert p == pytest.approx(expected)
