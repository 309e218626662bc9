import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from pipeline.evaluation.comparison import compare, mcnemar
from pipeline.search.champion import at_chance, sentence_of, tags_of

BALANCED = "val_balanced_accuracy"


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


def answers(right, names="ab"):
    """Predictions of 180 images of a and 20 of b: right of 0 to 1 of each class."""
    labels = np.array([0] * 180 + [1] * 20)
    correct = np.concatenate([np.arange(180) < 180 * right[0], np.arange(20) < 20 * right[1]])
    probabilities = np.where(np.eye(2)[labels] == correct[:, None], 0.8, 0.2)
    table = predictions(correct).assign(label=[names[label] for label in labels])
    return table.assign(probabilities=list(probabilities.astype(np.float32)))


def test_of_uneven_classes_the_rare_one_decides_and_not_the_accuracy():
    new, old = answers((0.85, 0.9)), answers((0.95, 0.1))
    balanced = compare(new, old, "val_balanced_accuracy", ["a", "b"])
    assert (balanced.new, balanced.old) == (pytest.approx(0.875), pytest.approx(0.525))
    assert balanced.new_is_better
    assert tags_of(balanced)["val_balanced_accuracy"] == "0.8750"
    assert "val_balanced_accuracy 87.5% against 52.5% of version 1" in sentence_of(balanced, "version 1")
    assert not compare(new, old).new_is_better
    assert not compare(new, new, "val_balanced_accuracy", ["a", "b"]).new_is_better


def test_the_lower_loss_wins():
    new, old = answers((0.95, 0.9)), answers((0.5, 0.5))
    compared = compare(new, old, "val_loss", ["a", "b"])
    assert compared.new == pytest.approx(-np.mean(new["correct"] * np.log(0.8) + ~new["correct"] * np.log(0.2)))
    assert compared.new_is_better
    assert not compare(old, new, "val_loss", ["a", "b"]).new_is_better


@pytest.mark.parametrize(("metric", "refused"), [("val_balanced_accuracy", False), ("val_accuracy", True)])
def test_a_model_is_held_against_what_one_answer_would_score(metric, refused):
    scores = {"val_accuracy": 0.85, "val_accuracy_low": 0.8, "val_accuracy_high": 0.9, "val_chance_accuracy": 0.87}
    scores |= {"val_balanced_accuracy": 0.8, "val_balanced_accuracy_low": 0.6, "val_balanced_accuracy_high": 0.9}
    assert bool(at_chance(scores, metric, 3)) == refused
    assert "not better than chance, 33.3%" in at_chance(scores | {"val_balanced_accuracy_low": 0.3}, BALANCED, 3)


@pytest.mark.parametrize(("first", "second"), [(9, 1), (3, 3), (0, 6), (0, 0)])
def test_mcnemar_is_the_two_sided_sign_test_of_the_images_that_differ(first, second):
    correct = np.array([True] * first + [False] * second + [True] * 5)
    other = np.array([False] * first + [True] * second + [True] * 5)
    total = first + second
    expected = min(1.0, 2 * binom.cdf(min(first, second), total, 0.5)) if total else 1.0
    only_first, only_second, p = mcnemar(correct, other)
    assert (only_first, only_second) == (first, second)
    assert p == pytest.approx(expected)
