import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import augmentation
from pipeline.data.batches import balanced_weights, epoch_order, prefetched, smoothed_targets, training_batches

IMAGES = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), dtype=np.uint8)
LABELS = np.arange(40) % 4


def batches(order, augment=lambda image, index: image, batch_size=16, smoothing=0.0):
    return list(
        training_batches(IMAGES, LABELS, order, augment, batch_size, smoothed_targets(4, smoothing), np.ones(4, "f4"))
    )


@given(st.integers(1, 40), st.integers(0, 5), st.integers(1, 5))
@settings(deadline=None)
def test_an_epoch_has_every_image_once(batch_size, seed, epoch):
    made = batches(epoch_order(40, seed, epoch), batch_size=batch_size)
    seen = np.concatenate([batch.images for batch in made])
    assert len(seen) == 40
    assert {image.tobytes() for image in seen} == {image.tobytes() for image in IMAGES}
    assert all(len(batch.images) == batch_size for batch in made[:-1])


def test_targets_belong_to_their_images():
    for batch in batches(epoch_order(40, 0, 1), smoothing=0.2):
        for image, target in zip(batch.images, batch.targets, strict=True):
            index = next(i for i in range(40) if np.array_equal(IMAGES[i], image))
            assert target.argmax() == LABELS[index]
            np.testing.assert_allclose(target.sum(), 1, rtol=1e-6)
            np.testing.assert_allclose(target.max(), 0.8 + 0.2 / 4)


def test_the_order_depends_on_seed_and_epoch():
    first = epoch_order(40, 0, 1)
    assert np.array_equal(first, epoch_order(40, 0, 1))
    assert not np.array_equal(first, epoch_order(40, 0, 2))
    assert not np.array_equal(first, epoch_order(40, 1, 1))


@pytest.mark.parametrize("name", ["flip", "shift", "crop"])
def test_what_happens_to_an_image_depends_on_seed_epoch_and_its_number_alone(name):
    def augmented(seed, epoch, indices):
        augment = augmentation.for_epoch(name, True, 0.5, 40, 16, seed, epoch)
        return {index: augment(IMAGES[index], index).tobytes() for index in indices}

    forwards, backwards = augmented(0, 1, range(40)), augmented(0, 1, reversed(range(40)))
    assert forwards == backwards
    assert augmented(0, 2, range(40)) != forwards
    assert augmented(1, 1, range(40)) != forwards


@pytest.mark.parametrize("name", ["none", "flip", "shift", "crop"])
def test_an_augmented_image_keeps_its_shape_and_range_of_values(name):
    augment = augmentation.for_epoch(name, True, 0.5, 40, 16, 0, 1)
    flat = np.full((16, 16, 3), 99, np.uint8)
    for index in range(40):
        changed = augment(flat, index)
        assert changed.shape == flat.shape
        assert (changed == 99).all()


def test_without_augmentation_nothing_is_changed_not_even_mirrored():
    augment = augmentation.for_epoch("none", True, 0.5, 40, 16, 0, 1)
    assert all(np.array_equal(augment(IMAGES[index], index), IMAGES[index]) for index in range(40))


def test_mirroring_is_left_out_where_it_would_change_the_class():
    ramp = np.repeat(np.arange(0, 160, 10, dtype=np.uint8)[None, :, None], 16, axis=0).repeat(3, axis=2)

    def mirrored(mirror):
        augment = augmentation.for_epoch("crop", mirror, 0.5, 40, 16, 0, 1)
        changed = [augment(ramp, index).astype(int) for index in range(40)]
        return sum(image[0, 0, 0] > image[0, -1, 0] for image in changed)

    assert mirrored(False) == 0
    assert 10 < mirrored(True) < 30


def test_balanced_weights_give_each_class_the_same_sum():
    labels = np.array([0] * 10 + [1] * 30 + [3] * 20)
    weights = balanced_weights(labels, 4)
    sums = [weights[label] * (labels == label).sum() for label in (0, 1, 3)]
    np.testing.assert_allclose(sums, 20, rtol=1e-6)
    np.testing.assert_allclose(weights[labels].mean(), 1, rtol=1e-6)


def test_prefetched_batches_are_the_same_in_the_same_order():
    assert list(prefetched(range(100))) == list(range(100))


def test_an_error_in_making_a_batch_is_raised_where_it_is_wanted():
    def failing():
        yield 1
        raise OSError("disk gone")

    made = prefetched(failing())
    assert next(made) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(made)


def test_the_end_comes_as_soon_as_the_last_batch_is_taken():
    made = prefetched(range(5))
    last = [next(made) for _ in range(5)][-1]
    start = time.perf_counter()
    assert list(made) == []
    assert last == 4
    assert time.perf_counter() - start < 0.05


def test_a_loop_that_is_left_early_stops_the_thread():
    before = threading.active_count()
    made = prefetched(iter(range(10**9)))
    next(made)
    made.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
