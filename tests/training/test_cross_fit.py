"""Folds trained side by side, on a handful of images."""

import dataclasses

import numpy as np
import pytest

from pipeline import models
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.folds import folds_of
from pipeline.data.planning import plan
from pipeline.data.writing import write
from pipeline.training.cross_fit import fit_folds, mean_of
from pipeline.training.fit import fit
from pipeline.training.network_spec import network_spec

SCORES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy")


@pytest.fixture
def data(image_folder, tmp_path):
    return write(plan(PreprocessConfig(data=str(image_folder), image_size=16, workdir=tmp_path / "workdir")))


def configured(data, **options):
    small = {"epochs": 3, "batch_size": 16, "depth": 1, "width": 8, "precision": "float32", "learning_rate": 0.02}
    return TrainConfig(data="colours", image_size=16, workdir=data.folder, **small | options)


def scores(result):
    return [getattr(result, name) for name in SCORES]


@pytest.mark.slow
def test_each_fold_comes_to_what_it_comes_to_alone(data):
    config, folds = configured(data, epochs=2, depth=2, width=2), folds_of(data, 2, 0)
    networks = [models.build("lenet", network_spec(config, fold)) for fold in folds]
    heard = []
    by_epoch = fit_folds(networks, folds, config, "val_accuracy", heard.append)
    alone = [fit(models.build("lenet", network_spec(config, fold)), fold, config).epochs for fold in folds]
    for results, of_alone, mean in zip(by_epoch, zip(*alone, strict=True), heard, strict=True):
        assert [scores(result) for result in results] == [scores(result) for result in of_alone]
        assert scores(mean) == pytest.approx(np.mean([scores(result) for result in results], axis=0))


def test_patience_is_that_of_the_mean_and_a_callback_stops_all(data):
    config = configured(data, epochs=50, patience=1, learning_rate=1e-9)
    folds = folds_of(data, 2, 0)

    def networks():
        return [models.build("two-layer-numpy", network_spec(config, fold)) for fold in folds]

    assert len(fit_folds(networks(), folds, config, "val_accuracy")) == 2
    heard = []

    def stop(result):
        heard.append(result)
        raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        fit_folds(networks(), folds, config, "val_accuracy", stop)
    assert len(heard) == 1


def test_a_mean_has_the_images_and_the_seconds_of_all_folds(data):
    config = configured(data, epochs=1)
    fold = folds_of(data, 2, 0)[0]
    (result,) = fit(models.build("two-layer-numpy", network_spec(config, fold)), fold, config).epochs
    first, second = (
        dataclasses.replace(result, epoch_seconds=seconds, images_per_second=pace)
        for seconds, pace in ((1.0, 100.0), (3.0, 20.0))
    )
    mean = mean_of([first, second])
    assert mean.epoch_seconds == 4.0
    assert mean.images_per_second == 160 / 4
