import numpy as np
from answers import six

from pipeline.evaluation.measures import class_sizes


def test_classes_stand_in_the_order_of_their_training_images():
    table = class_sizes.measure(six(training_images=np.array([30, 10, 20]))).tables["class_sizes"]
    assert table["class"].tolist() == ["b", "c", "a"]
    assert table["training_images"].tolist() == [10, 20, 30]
    assert table["accuracy"].tolist() == [1, 0.5, 0.5]


def test_it_does_not_apply_where_all_classes_have_as_many_or_nobody_knows():
    assert class_sizes.measure(six(training_images=np.array([10, 10, 10]))) is None
    assert class_sizes.measure(six()) is None
