import dataclasses

import numpy as np
import pytest

from pipeline.metrics import balanced_accuracy
from pipeline.training.fit import EpochResult
from pipeline.training.objective import best_of, is_uneven


def epoch(number, accuracy, balanced, loss):
    result = EpochResult(number, 1.0, 0.5, loss, accuracy, 0.1, 1, 1, 1, 0, 0)
    return dataclasses.replace(result, val_balanced_accuracy=balanced)


EPOCHS = [epoch(1, 0.8, 0.34, 0.9), epoch(2, 0.8, 0.34, 0.7), epoch(3, 0.6, 0.5, 0.8), epoch(4, 0.7, 0.4, 0.6)]


@pytest.mark.parametrize(("metric", "best"), [("val_accuracy", 2), ("val_balanced_accuracy", 3), ("val_loss", 4)])
def test_the_best_epoch_is_that_of_the_metric_and_of_equals_that_of_the_lower_loss(metric, best):
    assert best_of(EPOCHS, metric).epoch == best


def test_of_equal_epochs_the_first_is_best():
    assert best_of([epoch(1, 0.5, 0.5, 1.0), epoch(2, 0.5, 0.5, 1.0)], "val_accuracy").epoch == 1


def test_a_constant_answer_has_a_balanced_accuracy_of_one_in_classes():
    labels = np.array([0] * 8 + [1] * 2)
    always_first = np.tile([1.0, 0.0, 0.0], (10, 1))
    assert balanced_accuracy(labels, always_first) == 0.5
    assert balanced_accuracy(labels, np.eye(3)[labels]) == 1


def test_classes_are_uneven_where_one_has_twice_the_images_of_another():
    assert is_uneven([200, 20, 5])
    assert is_uneven([20, 10])
    assert not is_uneven([19, 10])
