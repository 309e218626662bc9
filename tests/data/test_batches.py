import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.augmentation import Augmentation
from pipeline.data.batches import Batch, balanced_weights, epoch_order, prefetched, smoothed_targets, training_batches
from pipeline.data.mixing import cutmix

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


@pytest.mark.parametrize("flips", ["alternating", "random"])
@pytest.mark.parametrize("name", ["flip", "shift", "crop"])
def test_what_happens_to_an_image_depends_on_seed_epoch_and_its_number_alone(name, flips):
    def augmented(seed, epoch, indices):
        augment = Augmentation(name, True, 0.5, flips).for_epoch(40, 16, 16, seed, epoch)
        return {index: augment(IMAGES[index], index).tobytes() for index in indices}

    forwards, backwards = augmented(0, 1, range(40)), augmented(0, 1, reversed(range(40)))
    assert forwards == backwards
    assert augmented(0, 2, range(40)) != forwards
    assert augmented(1, 1, range(40)) != forwards


@pytest.mark.parametrize("size", [16, 8])
@pytest.mark.parametrize("name", ["none", "flip", "shift", "crop"])
def test_an_augmented_image_has_the_wanted_size_and_its_range_of_values(name, size):
    augment = Augmentation(name, True, 0.5).for_epoch(40, 16, size, 0, 1)
    flat = np.full((16, 16, 3), 99, np.uint8)
    for index in range(40):
        changed = augment(flat, index)
        assert changed.shape == (size, size, 3)
        assert (changed == 99).all()


def test_without_augmentation_nothing_is_changed_not_even_mirrored():
    augment = Augmentation("none", True, 0.5).for_epoch(40, 16, 16, 0, 1)
    assert all(np.array_equal(augment(IMAGES[index], index), IMAGES[index]) for index in range(40))


@pytest.mark.parametrize("flips", ["alternating", "random"])
def test_mirroring_is_left_out_where_it_would_change_the_class(flips):
    ramp = np.repeat(np.arange(0, 160, 10, dtype=np.uint8)[None, :, None], 16, axis=0).repeat(3, axis=2)

    def mirrored(mirror):
        augment = Augmentation("crop", mirror, 0.5, flips).for_epoch(40, 16, 16, 0, 1)
        changed = [augment(ramp, index).astype(int) for index in range(40)]
        return sum(image[0, 0, 0] > image[0, -1, 0] for image in changed)

    assert mirrored(False) == 0
    assert 10 < mirrored(True) < 30


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_epochs_show_both_sides_of_every_image_where_flips_alternate(seed):
    first, second, third = (
        [
            Augmentation("flip", True, 0.5, "alternating").for_epoch(40, 16, 16, seed, epoch)(image, index).tobytes()
            for index, image in enumerate(IMAGES)
        ]
        for epoch in (1, 2, 3)
    )
    sides = [{image.tobytes(), image[:, ::-1].tobytes()} for image in IMAGES]
    assert [{one, other} for one, other in zip(first, second, strict=True)] == sides
    assert first == third


def plain_batch(n, size, weights=None):
    """Image i is all i, and of class i."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, size, size, 3)).copy()
    return Batch(images, np.eye(n, dtype=np.float32), np.ones(n, np.float32) if weights is None else weights)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 5))
@settings(deadline=None)
def test_a_mixed_image_has_as_much_of_each_target_as_of_each_image(n, size, seed):
    batch = plain_batch(n, size)
    mixed = cutmix(1.0, 40, seed, 1)(batch, np.arange(n))
    for image, target in zip(mixed.images, mixed.targets, strict=True):
        parts = np.bincount(image[:, :, 0].ravel(), minlength=n) / size**2
        np.testing.assert_allclose(target, parts, atol=1e-6)
    assert np.array_equal(batch.images, plain_batch(n, size).images)


def test_mixing_takes_its_share_of_the_images_and_gives_them_all_areas():
    mixed = cutmix(0.5, 1000, 0, 1)(plain_batch(200, 32), np.arange(200))
    own = mixed.targets[np.arange(200), np.arange(200)]
    assert 0.4 < (own < 1).mean() < 0.6
    assert own[own < 1].std() == pytest.approx(12**-0.5, abs=0.06)  # uniform from 0 to 1


def test_what_is_mixed_depends_on_seed_epoch_and_numbers_alone():
    def mixed(seed, epoch):
        return cutmix(1.0, 40, seed, epoch)(plain_batch(20, 16), np.arange(10, 30)).images

    assert np.array_equal(mixed(0, 1), mixed(0, 1))
    assert not np.array_equal(mixed(0, 1), mixed(0, 2))
    assert not np.array_equal(mixed(0, 1), mixed(1, 1))


def test_a_mixed_image_weighs_as_its_parts_do():
    weights = np.linspace(0.5, 2, 20, dtype=np.float32)
    batch = plain_batch(20, 16, weights)
    mixed = cutmix(1.0, 40, 0, 1)(batch, np.arange(20))
    for image, target, weight in zip(mixed.images, mixed.targets, mixed.weights, strict=True):
        parts = np.bincount(image[:, :, 0].ravel(), minlength=20) / 16**2
        np.testing.assert_allclose(target * weight, parts * weights, atol=1e-5)
        np.testing.assert_allclose(target.sum(), 1, rtol=1e-5)


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
