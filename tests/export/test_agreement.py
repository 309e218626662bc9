import numpy as np
import pytest

from pipeline.errors import RefusedError
from pipeline.export.agreement import Agreement, agreement, answers_of, refuse_if_far_worse, refuse_unless_equal

EXPECTED = np.array([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]], np.float32)


def test_it_counts_other_classes_and_the_largest_difference():
    found = agreement(EXPECTED, np.array([[0.7, 0.3], [0.55, 0.45], [0.5, 0.5]], np.float32))
    assert (found.images, found.differing) == (3, 1)
    assert found.largest == pytest.approx(0.15)


def test_equal_but_for_rounding_is_equal():
    refuse_unless_equal(agreement(EXPECTED, EXPECTED + 9e-5))


@pytest.mark.parametrize(("change", "said"), [(2e-4, "2.0e-04, and 0 of 3 answers are"), (np.nan, "nan, and 1 of 3")])
def test_anything_else_is_refused_with_the_figures(change, said):
    with pytest.raises(RefusedError, match=f"largest difference is {said}"):
        refuse_unless_equal(agreement(EXPECTED, EXPECTED + np.float32(change)))


@pytest.mark.parametrize(
    ("images", "lost", "refused"), [(6, 1, False), (6, 2, True), (1000, 50, False), (1000, 51, True)]
)
def test_a_quantised_export_may_lose_a_twentieth_of_the_images_and_always_one(images, lost, refused):
    found = Agreement(images, 0.3, lost)
    right = images - lost
    if not refused:
        refuse_if_far_worse(found, right / images, 1.0)
        return
    with pytest.raises(RefusedError, match=r"gets \d+\.\d% of the .* images right, the network in float32 100\.0%"):
        refuse_if_far_worse(found, right / images, 1.0)


def test_all_images_are_asked_about_in_their_order():
    images = np.arange(250, dtype=np.uint8).reshape(250, 1, 1, 1)
    np.testing.assert_array_equal(answers_of(lambda some: some[:, 0, 0], images)[:, 0], np.arange(250))
