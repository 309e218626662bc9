"""The whole training loop, on a handful of images."""

import dataclasses
import json

import numpy as np
import pytest

from pipeline import models
from pipeline.config import PRESETS, PreprocessConfig, TrainConfig, resolve
from pipeline.data.planning import plan
from pipeline.data.writing import write
from pipeline.errors import UserError
from pipeline.metrics import accuracy
from pipeline.models.networks.contract import predict_prepared
from pipeline.training import history
from pipeline.training.fit import Callbacks, DivergedError, fit
from pipeline.training.network_spec import network_spec, pixel_statistics, preprocessing_of


@pytest.fixture
def data(image_folder, tmp_path):
    config = PreprocessConfig(data=str(image_folder), image_size=16, workdir=tmp_path / "workdir")
    return write(plan(config))


def configured(data, **options):
    options = {"epochs": 6, "batch_size": 8, "precision": "float32"} | options
    return TrainConfig(data="colours", image_size=16, workdir=data.folder, **options)


RESNET = {"model": "resnet", "depth": 1, "width": 8, "learning_rate": 0.02}
# It trains in a blink: for what is the same with every network.
HAND_WRITTEN = {"model": "two-layer-numpy", "width": 16, "learning_rate": 0.01}


def trained(data, on_epoch=lambda epoch: None, **options):
    config = configured(data, **(HAND_WRITTEN | options))
    network = models.build(config.model, network_spec(config, data))
    return network, fit(network, data, config, Callbacks(on_epoch))


def test_it_learns_and_reports_every_epoch_and_step(data):
    heard, steps = [], []
    config = configured(data, **RESNET)
    network = models.build("resnet", network_spec(config, data))
    result = fit(network, data, config, Callbacks(heard.append, lambda: steps.append(1)))
    assert heard == result.epochs
    assert [epoch.epoch for epoch in heard] == [1, 2, 3, 4, 5, 6]
    assert len(steps) == 6 * 6
    assert result.best.val_accuracy > 0.8
    assert heard[-1].train_loss < heard[0].train_loss
    for epoch in heard:
        assert epoch.images_per_second == pytest.approx(48 / epoch.epoch_seconds)
        assert 0 < epoch.learning_rate <= config.learning_rate


def test_the_network_is_left_as_it_was_after_its_best_epoch(data):
    network, result = trained(data, learning_rate=0.3)
    val = data["val"]
    assert accuracy(val.labels, network.predict(val.images)) == result.best.val_accuracy
    assert np.array_equal(network.predict(val.images), result.val_probabilities)
    assert result.best.val_accuracy == max(epoch.val_accuracy for epoch in result.epochs)
    assert result.best.epoch == min(e.epoch for e in result.epochs if e.val_accuracy == result.best.val_accuracy)


def test_the_same_seed_gives_the_same_training_to_the_bit(data):
    def run(seed):
        network, result = trained(data, seed=seed, epochs=3, dropout=0.3)
        return network.state(), [(epoch.train_loss, epoch.val_loss) for epoch in result.epochs]

    first, losses = run(0)
    again, losses_again = run(0)
    assert losses == losses_again
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert run(1)[1] != losses


def test_patience_ends_a_training_that_stands_still(data):
    _, result = trained(data, epochs=30, learning_rate=1e-9, patience=2)
    scores = [epoch.val_accuracy for epoch in result.epochs]
    assert len(scores) == scores.index(max(scores)) + 1 + 2 < 30


def test_a_loss_that_explodes_is_said_to(data):
    with pytest.raises(DivergedError, match=r"loss is no longer finite in epoch \d+.*--learning_rate than 100"):
        trained(data, learning_rate=100.0, epochs=30, warmup=0.0, optimizer="sgd", weight_decay=10.0)


def test_weights_that_break_in_the_last_step_are_seen_in_validation(data):
    heard = []
    with pytest.raises(DivergedError, match="the validation loss is no longer finite in epoch 1"):
        # One step: its loss is that of the weights before it.
        trained(data, heard.append, learning_rate=1e30, epochs=1, batch_size=48, warmup=0.0, schedule="constant")
    assert not heard


def test_balanced_classes_and_every_augmentation_train(data):
    losses = [
        trained(data, epochs=1, augment=augment, class_weight="balanced", mirror="yes")[1].best.train_loss
        for augment in ("none", "flip", "shift", "crop")
    ]
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 4  # each made images of its own


def test_images_may_begin_small_and_be_mixed(data):
    config = configured(data, **RESNET, epochs=4, initial_scale=0.5, cutmix=0.5)
    network = models.build("resnet", network_spec(config, data))
    seen, fit_epoch = [], network.fit_epoch

    def recording(batches, learning_rates):
        seen.append(list(batches))
        return fit_epoch(seen[-1], learning_rates)

    network.fit_epoch = recording
    result = fit(network, data, config)
    assert [epoch[0].images.shape[1:3] for epoch in seen] == [
        (12, 12),
        (12, 12),
        (12, 12),
        (16, 16),
    ]  # half is too small
    assert all(any((batch.targets > 0.2).sum(axis=1).max() == 2 for batch in epoch) for epoch in seen)
    val = data["val"]
    assert accuracy(val.labels, network.predict(val.images)) == result.best.val_accuracy


@pytest.mark.parametrize(
    "preset", [pytest.param(name, marks=[pytest.mark.slow] * (name != "fast")) for name in PRESETS]
)
def test_each_preset_trains(image_folder, tmp_path, preset):
    typed = {"preset": preset, "data": str(image_folder), "epochs": 1, "workdir": str(tmp_path), "precision": "float32"}
    config = resolve("train", typed, recipe_of=models.recipe, config_of_run=dict)
    data = write(plan(config))
    if config.weights == "imagenet":  # which nobody downloads here
        own = dataclasses.replace(config, weights="none")
        config = dataclasses.replace(
            config, weights=str(models.build(own.model, network_spec(own, data)).save(tmp_path))
        )
    result = fit(models.build(config.model, network_spec(config, data)), data, config)
    assert [epoch.epoch for epoch in result.epochs] == [1]


def test_images_may_be_prepared_larger_than_the_network_sees_them(image_folder, tmp_path):
    prepared_config = PreprocessConfig(data=str(image_folder), image_size=32, workdir=tmp_path / "workdir")
    data = write(plan(prepared_config))
    network, result = trained(data, input_scale=0.5)
    config, val = configured(data, **HAND_WRITTEN, input_scale=0.5), data["val"]
    assert result.best.val_accuracy > 0.8
    probabilities = predict_prepared(network, val.images, preprocessing_of(config, data.facts))
    assert accuracy(val.labels, probabilities) == result.best.val_accuracy


def test_a_network_of_one_size_refuses_to_begin_smaller(data):
    config = configured(data, **HAND_WRITTEN, initial_scale=0.5)
    network = models.build(config.model, network_spec(config, data))
    with pytest.raises(UserError, match=r"--initial_scale .* two-layer-numpy built for 16 pixels cannot take 12"):
        fit(network, data, config)


def test_the_test_split_is_opened_only_where_it_is_to_be_spent(data):
    held_back = (data.folder / "test.npy").rename(data.folder / "held back")
    _, result = trained(data, epochs=1)
    assert result.best.test_accuracy is None
    assert "test_accuracy" not in result.best.metrics()
    held_back.rename(data.folder / "test.npy")
    network, result = trained(data, epochs=2, test_each_epoch=True)
    test = data["test"]
    assert result.best.metrics()["test_accuracy"] == accuracy(test.labels, network.predict(test.images))


def test_every_step_has_its_loss(data):
    _, result = trained(data, epochs=3)
    assert result.step_losses.shape == (3 * 6,)
    for epoch in result.epochs:
        steps = result.step_losses[(epoch.epoch - 1) * 6 : epoch.epoch * 6]
        assert epoch.train_loss == pytest.approx(steps.mean())


def test_history_holds_what_was_reported(data, tmp_path):
    path = tmp_path / "history.jsonl"
    _, result = trained(data, on_epoch=lambda epoch: history.append(path, epoch), epochs=2)
    assert history.read(path) == result.epochs
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [1, 2]


def test_global_statistics_are_those_of_all_pixels_together(data):
    pixels = np.asarray(data["train"].images).astype(float)
    mean, deviation = pixel_statistics(data.facts, "global")
    np.testing.assert_allclose(mean, [pixels.mean()] * 3)
    np.testing.assert_allclose(deviation, [pixels.std()] * 3)
