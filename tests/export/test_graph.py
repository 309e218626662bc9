import numpy as np
import pytest

from pipeline.data.preprocessing import Preprocessing
from pipeline.data.scaling import all_scaled
from pipeline.export.graph import area_weights, end_to_end
from pipeline.models.networks.quiet_keras import keras


class Pixels:
    """A network that answers with the pixels that it sees."""

    def __init__(self, size):
        self.size = size

    def as_keras_model(self):
        pixels = keras.Input((self.size, self.size, 3))
        return keras.Model(pixels, keras.layers.Flatten()(pixels))


def seen_in_graph(images, goal, mirrored=False):
    preprocessing = Preprocessing(images.shape[1], goal, "stretch", (0.0,) * 3, (1.0,) * 3)
    answers = end_to_end(Pixels(goal), preprocessing, mirrored).predict_on_batch(images)
    return answers.reshape(len(images), goal, goal, 3)


def noise(size, images=4):
    return np.random.default_rng(0).integers(0, 256, (images, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize(("size", "goal"), [(16, 16), (32, 24), (64, 48), (64, 51), (64, 32), (64, 16), (96, 72)])
def test_the_graph_scales_to_the_very_pixels_of_a_training(size, goal):
    images = noise(size)
    np.testing.assert_array_equal(seen_in_graph(images, goal), all_scaled(images, goal))


@pytest.mark.parametrize(("size", "goal"), [(112, 84), (100, 37), (90, 64)])
def test_where_weights_are_no_binary_fractions_a_tie_may_be_rounded_to_the_other_side(size, goal):
    images = noise(size)
    difference = np.abs(seen_in_graph(images, goal) - all_scaled(images, goal).astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_weights_of_an_average_sum_to_one():
    np.testing.assert_allclose(area_weights(100, 37).sum(axis=0), 1, atol=1e-6)


def test_a_mirrored_answer_is_the_mean_of_both():
    images = noise(32)
    both = [all_scaled(each, 24) for each in (images, np.ascontiguousarray(images[:, :, ::-1]))]
    np.testing.assert_allclose(seen_in_graph(images, 24, mirrored=True), np.mean(both, axis=0), atol=1e-4)
