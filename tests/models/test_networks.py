"""The network contract, held against every model there is.

What the tests need of a model, they take from its builder: its hyperparameters, an image size, its recipe.
"""

import contextlib
import functools
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from network_specs import network_spec

from pipeline import config as options
from pipeline import models
from pipeline.data.batches import Batch
from pipeline.errors import UserError
from pipeline.models.networks.architecture import HYPERPARAMETERS

ROOT = Path(models.__file__).parents[2]
CLASSES = 4
IMAGE_SIZES = (32, 64, 128, 224)


def hyperparameters(name):
    """Of those that the builder has, the lowest value worth a trial, else its own; a dropout that drops something."""
    own = {option: value for option, value in models.recipe(name).items() if option in HYPERPARAMETERS}
    lowest = {option: low for option, (low, _) in models.ranges(name).items()}
    return own | lowest | ({"dropout": 0.2} if "dropout" in own else {})


def without_dropout(name):
    return {option: 0.0 if option == "dropout" else value for option, value in hyperparameters(name).items()}


@functools.cache
def smallest_size(name):
    """The first of IMAGE_SIZES at which the model can be built, in pixels."""
    for size in IMAGE_SIZES:
        with contextlib.suppress(UserError):
            models.build(name, spec(name, image_size=size))
            return size
    pytest.fail(f"{name} can be built for images of none of {IMAGE_SIZES} pixels")


def spec(name, **changes):
    size = changes.pop("image_size", None) or smallest_size(name)
    usual = {"classes": CLASSES, "hyperparameters": hyperparameters(name), "mean": 100.0, "deviation": 50.0}
    return network_spec(size, **(usual | changes))


def images_for(name):
    size = smallest_size(name)
    return np.random.default_rng(0).integers(0, 255, (24, size, size, 3), dtype=np.uint8)


def batches(name, sizes=(8, 8, 8)):
    rng = np.random.default_rng(1)
    targets = np.eye(CLASSES, dtype=np.float32)
    starts = np.cumsum([0, *sizes])
    images = images_for(name)
    return [
        Batch(images[start:end], targets[rng.integers(0, CLASSES, end - start)], np.ones(end - start, np.float32))
        for start, end in itertools.pairwise(starts)
    ]


@pytest.fixture(params=options.MODELS)
def name(request):
    return request.param


@functools.cache
def built_once(name):
    """The network of spec(name), and the state that it begins with."""
    network = models.build(name, spec(name))
    return network, network.state()


@pytest.fixture
def network(name):
    """A network as it was built: the same in all tests, as its first step takes longer than all others."""
    network, beginning = built_once(name)
    network.load_state(beginning)
    return network


def test_as_a_keras_model_it_predicts_the_same(name, network):
    network.fit_epoch(batches(name), [0.01] * 3)
    images = images_for(name)
    answers = network.as_keras_model().predict_on_batch(images.astype(np.float32))
    np.testing.assert_allclose(answers, network.predict(images), atol=1e-5)


def test_an_epoch_moves_weights_and_reports_each_step(name, network):
    before = network.predict(images_for(name))
    fitted = network.fit_epoch(batches(name), [0.01] * 3)
    assert fitted.losses.shape == (3,)
    assert np.isfinite(fitted.losses).all()
    assert 0 <= fitted.accuracy <= 1
    assert fitted.images == 24
    assert not np.array_equal(before, network.predict(images_for(name)))


def coloured_batch(name):
    """Two images of each class, in its colour: what a network that averages over the image can tell apart too."""
    labels = np.arange(8) % CLASSES
    colours = np.array([[220, 60, 60], [60, 220, 60], [60, 60, 220], [220, 220, 60]])[labels]
    noise = images_for(name)[:8].astype(int) // 8
    images = (colours[:, None, None] + noise).astype(np.uint8)
    return Batch(images, np.eye(CLASSES, dtype=np.float32)[labels], np.ones(8, np.float32))


def test_repeated_steps_learn_a_batch_by_heart(name):
    recipe = options.resolve("train", {"model": name}, recipe_of=models.recipe, config_of_run=dict)

    def learns(learning_rate):
        network = models.build(name, spec(name, optimizer=recipe.optimizer, hyperparameters=without_dropout(name)))
        losses = network.fit_epoch([coloured_batch(name)] * 61, [learning_rate] * 61).losses
        return losses[-1] < losses[0] / 2

    # The recipe's rate is for larger batches, and for after a warm-up.
    assert any(learns(recipe.learning_rate / divisor) for divisor in (1, 10, 30))


def test_probabilities_sum_to_one(name, network):
    probabilities = network.predict(images_for(name))
    assert probabilities.shape == (24, CLASSES)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_same_seed_gives_the_same_weights_after_training(name, network):
    def trained(network):
        network.fit_epoch(batches(name), [0.01] * 3)
        return network.predict(images_for(name))

    first = trained(network)
    assert np.array_equal(first, trained(models.build(name, spec(name, seed=0))))
    assert not np.array_equal(first, trained(models.build(name, spec(name, seed=1))))


def test_a_state_brings_everything_back(name, network):
    network.fit_epoch(batches(name), [0.01] * 3)
    state = network.state()
    network.fit_epoch(batches(name), [0.01] * 3)
    unbroken = network.state()
    network.load_state(state)
    network.fit_epoch(batches(name), [0.01] * 3)
    continued = network.state()
    assert unbroken.keys() == continued.keys()
    for key, values in unbroken.items():
        assert np.array_equal(values, continued[key]), key


def test_a_state_is_a_copy(name, network):
    state = network.state()
    kept = {key: value.copy() for key, value in state.items()}
    network.fit_epoch(batches(name), [0.01] * 3)
    assert all(np.array_equal(kept[key], state[key]) for key in kept)


def test_a_saved_network_predicts_the_same(name, network, tmp_path):
    network.fit_epoch(batches(name), [0.01] * 3)
    path = network.save(tmp_path)
    assert [path] == list(tmp_path.iterdir())
    np.testing.assert_allclose(
        models.load(path).predict(images_for(name)), network.predict(images_for(name)), atol=1e-5
    )


def test_batches_may_change_their_size(name, network):
    assert network.fit_epoch(batches(name, (8, 8, 5)), [0.01] * 3).images == 21
    assert network.predict(images_for(name)[:3]).shape == (3, CLASSES)


def test_a_network_that_takes_another_size_trains_on_it_and_still_predicts(name, network):
    size = smallest_size(name)
    assert network.takes(size)
    if network.takes(size // 2):
        half = [batch._replace(images=batch.images[:, ::2, ::2]) for batch in batches(name)]
        assert np.isfinite(network.fit_epoch(half, [0.01] * 3).losses).all()
        assert network.predict(images_for(name)).shape == (24, CLASSES)


def test_weights_of_images_count(name):
    batch = batches(name, (8,))[0]
    network = models.build(name, spec(name, hyperparameters=without_dropout(name)))
    beginning = network.state()
    plain = network.fit_epoch([batch], [0.01]).losses[0]
    network.load_state(beginning)
    doubled = network.fit_epoch([batch._replace(weights=batch.weights * 2)], [0.01]).losses[0]
    np.testing.assert_allclose(doubled, 2 * plain, rtol=1e-5)


def test_the_layer_table_counts_every_parameter(network):
    layers = network.layers()
    assert list(layers.columns) == ["name", "kind", "output_shape", "parameters", "trainable_parameters"]
    assert layers["parameters"].sum() > 0
    assert (layers["trainable_parameters"] <= layers["parameters"]).all()


# The networks above have the third, sgd.
@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_every_optimizer_takes_a_step(name, optimizer):
    network = models.build(name, spec(name, optimizer=optimizer))
    assert np.isfinite(network.fit_epoch(batches(name), [1e-3] * 3).losses).all()


@pytest.mark.parametrize("image_size", [8, 10, 13])
def test_a_small_image_is_taken_or_refused_by_its_size(name, image_size):
    try:
        models.build(name, spec(name, image_size=image_size))
    except UserError as refusal:
        assert re.search(rf"\b{image_size}.*(are too small|needs)", str(refusal))


# What follows is promised of the models written here, not of every model.


@pytest.mark.parametrize(
    ("name", "taken"), [("resnet", True), ("lenet", False), ("lenet5-numpy", False), ("two-layer-numpy", False)]
)
def test_only_the_residual_network_takes_half_the_size_of_its_recipe(name, taken):
    size = models.recipe(name)["image_size"]
    network = models.build(name, spec(name, image_size=size, hyperparameters={}))
    assert network.takes(size // 2) == taken


@pytest.mark.parametrize("name", ["lenet", "resnet", "lenet5-numpy"])
def test_these_refuse_eight_pixels(name):
    with pytest.raises(UserError, match=r"\b8.*(are too small|needs)"):
        models.build(name, spec(name, image_size=8))


@pytest.mark.parametrize("name", ["lenet5-numpy", "two-layer-numpy"])
def test_hand_written_networks_refuse_bfloat16_and_need_no_keras(name):
    with pytest.raises(UserError, match="--precision bfloat16"):
        models.build(name, spec(name, precision="bfloat16"))
    code = f"import sys; from pipeline import models; models.recipe({name!r}); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
