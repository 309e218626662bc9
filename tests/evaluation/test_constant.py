from pipeline.evaluation.constant import no_better_than_constant

NAMES = ["cat", "dog", "fox"]
UNEVEN = [200, 20, 5]


def test_an_accuracy_that_always_naming_one_class_would_reach_is_no_success():
    said = no_better_than_constant("test", 0.87, [40, 4, 2], UNEVEN, NAMES)
    assert said
    assert "always naming cat, which 87.0% of the images are" in said
    assert "--class_weight balanced" in said
    assert "fox (5), dog (20)" in said


def test_where_classes_are_even_nothing_is_said_of_them():
    said = no_better_than_constant("val", 0.35, [30, 30, 30], [100, 100, 100], NAMES)
    assert said
    assert "uneven" not in said


def test_nothing_is_said_of_an_accuracy_that_is_clearly_better():
    assert no_better_than_constant("test", 0.97, [400, 40, 20], UNEVEN, NAMES) is None
