import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.evaluation.class_changes import class_changes, differing, outcome, together


def predictions(correct, labels=None, probability=0.8):
    """Answers to images in the classes a and b by turns, or with the given labels."""
    labels = labels or ["ab"[number % 2] for number in range(len(correct))]
    predicted = [label if right else "c" for label, right in zip(labels, correct, strict=True)]
    paths = [f"{number}.png" for number in range(len(correct))]
    columns = {"path": paths, "label": labels, "predicted": predicted, "correct": correct, "probability": probability}
    return pd.DataFrame(columns)


def test_images_are_found_by_their_paths():
    first, second = predictions([True, False, True, True]), predictions([True, True, False, True])
    both = together(first, second.sample(frac=1, random_state=0))
    assert both["path"].tolist() == first["path"].tolist()
    assert both["correct_second"].tolist() == second["correct"].tolist()
    assert set(both) == {
        "path",
        "label",
        *(f"{n}_{m}" for n in ("predicted", "correct", "probability") for m in ("first", "second")),
    }


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (predictions([True] * 3), r"different images, 4 and 3, of which 1 are of one run alone, such as 3\.png"),
        (predictions([True] * 4, ["a", "b", "a", "a"]), r"other labels for 1 images, such as 3\.png: b and a"),
    ],
)
def test_other_images_or_labels_are_refused(second, words):
    with pytest.raises(UserError, match=words):
        together(predictions([True] * 4), second)


def test_other_files_of_the_same_names_are_refused():
    first, second = (predictions([True] * 2).assign(content=content) for content in (["x", "y"], ["x", "z"]))
    with pytest.raises(
        UserError, match=r"1 images of the two runs have the same path and other contents, such as 1\.png"
    ):
        together(first, second)
    assert len(together(first, predictions([True] * 2))) == 2


def test_the_outcome_says_who_is_right_where():
    both = together(
        predictions([True] * 30 + [False] * 70), predictions([True] * 20 + [False] * 10 + [True] * 30 + [False] * 40)
    )
    found = outcome(both)
    counts = ("both_right", "only_first_right", "only_second_right", "both_wrong")
    assert [found[name] for name in counts] == [20, 10, 30, 40]
    assert found["difference"] == pytest.approx(0.2)
    assert found["mcnemar_p"] == pytest.approx(0.0022, abs=1e-4)
    # 0.2 -+ 1.96 * sqrt(40 - 100 * 0.04) / 100
    assert (found["difference_low"], found["difference_high"]) == pytest.approx((0.0824, 0.3176), abs=1e-4)


def test_the_classes_that_moved_stand_at_the_ends():
    labels = ["up"] * 20 + ["down"] * 20 + ["same"] * 20
    first = [False] * 20 + [True] * 20 + [True] * 20
    second = [True] * 20 + [False] * 10 + [True] * 10 + [True] * 20
    table = class_changes(together(predictions(first, labels), predictions(second, labels)))
    assert table["class"].tolist() == ["up", "same", "down"]
    assert table["change"].tolist() == [1, 0, -0.5]
    assert (table["p_adjusted"] < 0.05).tolist() == [True, False, True]
    assert (table["p_adjusted"] >= table["p"]).all()


def test_the_images_of_one_model_alone_are_listed_the_most_certain_mistake_first():
    first = predictions([True, False, True], probability=[0.9, 0.7, 0.6])
    second = predictions([False, True, False], probability=[0.5, 0.9, 0.95])
    table = differing(together(first, second))
    assert table["right"].tolist() == ["first", "first", "second"]
    assert table["path"].tolist() == ["2.png", "0.png", "1.png"]
