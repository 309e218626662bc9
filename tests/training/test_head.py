"""The epochs that train the last layer alone, on features that are computed once."""

import dataclasses

import numpy as np
import pytest

from pipeline import models
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.batches import epoch_order
from pipeline.data.folds import folds_of
from pipeline.data.planning import plan
from pipeline.data.portions import portion
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError
from pipeline.models.networks.keras_head import KerasHead
from pipeline.training.features import features_of
from pipeline.training.fit import epoch_batches, fit
from pipeline.training.head import head_batches, open_head
from pipeline.training.network_spec import network_spec

NETWORK = {"model": "resnet", "depth": 1, "width": 8, "dropout": 0.3, "image_size": 32, "precision": "float32"}


@pytest.fixture
def begun(image_folder, tmp_path):
    """A short training that begins with weights of a network of the same kind, and its data."""

    def make(**options):
        values = NETWORK | {"epochs": 3, "head_epochs": 3, "batch_size": 9, "learning_rate": 0.01} | options
        config = TrainConfig(data=str(image_folder), workdir=tmp_path / "workdir", **values)
        data = open_or_write(plan(PreprocessConfig(data=str(image_folder), image_size=32, workdir=config.workdir)))
        if not (tmp_path / "network.keras").exists():
            models.build("resnet", network_spec(dataclasses.replace(config, seed=9), data)).save(tmp_path)
        return dataclasses.replace(config, weights=str(tmp_path / "network.keras")), data

    return make


@pytest.fixture
def seen(monkeypatch):
    """The images of which features have been computed, how many at a time."""
    counts, features = [], KerasHead.features

    def counting(self, images):
        counts.append(len(images))
        return features(self, images)

    monkeypatch.setattr(KerasHead, "features", counting)
    return counts


def built(config, data):
    return models.build(config.model, network_spec(config, data))


def weights_of(network):
    return [weight for weight in network.core.get_weights() if weight.dtype == np.float32]


def test_it_is_the_training_of_the_frozen_network_on_the_images_as_they_are(begun):
    config, data = begun(augment="none", schedule="constant", warmup=0.0, optimizer="adamw")
    network, by_hand = built(config, data), built(config, data)
    losses = fit(network, data, config).step_losses
    by_hand.train_body(0)
    expected, train = [], data["train"]
    for epoch in (1, 2, 3):
        order = epoch_order(len(train.labels), config.seed, epoch)
        batches = epoch_batches(train, data.facts, config, epoch, 32, order)
        expected += by_hand.fit_epoch(batches, [0.01] * 6).losses.tolist()
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    last = open_head(network, data, config)
    np.testing.assert_allclose(last.head.predict(last.val), network.predict(data["val"].images), atol=1e-5)


def test_features_are_computed_once_for_all_trainings(begun, seen):
    config, data = begun()
    fit(built(config, data), data, config)
    assert sum(seen) == 2 * 48 + 6  # train and its mirror images, val
    fit(built(config, data), data, dataclasses.replace(config, seed=1, epochs=4, learning_rate=0.02))
    assert sum(seen) == 2 * 48 + 6
    other = dataclasses.replace(config, weights="none", seed=10)
    built(other, data).save(config.workdir.parent)  # other weights in the same file
    fit(built(config, data), data, config)
    assert sum(seen) == 2 * (2 * 48 + 6)
    assert not [path for path in (config.workdir / "features").rglob("*") if path.suffix in (".part", ".lock")]


def test_no_mirror_images_where_none_are_asked_for(begun, seen):
    config, data = begun(mirror="no")
    fit(built(config, data), data, config)
    assert sum(seen) == 48 + 6


def test_the_batches_have_the_features_of_the_images_that_an_epoch_mirrors(begun):
    config, data = begun(augment="flip", min_crop_area=1.0)
    training, train = open_head(built(config, data), data, config), data["train"]
    order = epoch_order(48, 0, 2)
    of_images = epoch_batches(train, data.facts, config, 2, 32, order)
    for images, features in zip(of_images, head_batches(training, data, config, 2, order), strict=True):
        np.testing.assert_allclose(features.images, training.head.features(images.images), atol=1e-5)
        np.testing.assert_array_equal(features.targets, images.targets)


def test_then_a_part_of_the_body_learns_at_its_own_rate(begun):
    config, data = begun(epochs=4, head_epochs=2, head_learning_rate=0.5, trained_body=0.3, schedule="constant")
    network = built(config, data)
    before = weights_of(network)
    result = fit(network, data, dataclasses.replace(config, objective="loss"))
    assert [epoch.learning_rate for epoch in result.epochs] == [0.5, 0.5, 0.01, 0.01]
    learnt = [layer.trainable for layer in network.core.layers[:-1] if layer.weights]
    assert learnt == sorted(learnt)
    assert len(set(learnt)) == 2
    network.train_body(1)
    assert all(np.array_equal(*pair) for pair in zip(before[:2], weights_of(network)[:2], strict=True))


def test_folds_and_portions_take_their_images_features_from_those_of_the_whole(begun, seen):
    config, data = begun()
    head = built(config, data).head()
    of_split = {split: features_of(data, split, head, 32, config.workdir)[:] for split in ("train", "val")}
    by_path = {path: row for split, rows in of_split.items() for path, row in zip(data[split].paths, rows, strict=True)}
    seen.clear()
    parts = [*folds_of(data, 3, 0), portion(data, 0.5)]
    for part in parts:
        for split in ("train", "val"):
            rows = features_of(part, split, head, 32, config.workdir)[:]
            np.testing.assert_array_equal(rows, [by_path[path] for path in part[split].paths])
    assert not seen
    coarse = features_of(portion(data, detail=4), "val", head, 32, config.workdir)
    assert not np.allclose(coarse[:], of_split["val"])


def test_a_damaged_file_is_refused_by_its_folder(begun):
    config, data = begun()
    fit(built(config, data), data, config)
    (file,) = (config.workdir / "features").glob("*/train.npy")
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(UserError, match=f"{file.parent} is damaged .*remove that folder"):
        fit(built(config, data), data, config)


def test_without_any_of_the_body_all_epochs_are_on_features(begun):
    config, data = begun(epochs=5, head_epochs=1, trained_body=0.0, patience=2, learning_rate=1e-9)
    network = built(config, data)
    before = weights_of(network)
    result = fit(network, data, config)
    assert len(result.epochs) < 5
    assert all(np.array_equal(*pair) for pair in zip(before[:-2], weights_of(network)[:-2], strict=True))


def test_patience_leaves_the_body_its_turn(begun):
    config, data = begun(epochs=8, head_epochs=4, patience=1, learning_rate=1e-9)
    assert len(fit(built(config, data), data, config).epochs) > 4
