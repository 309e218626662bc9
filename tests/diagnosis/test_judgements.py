"""What each judgement says of outcomes that are plain numbers."""

import dataclasses

import numpy as np
import pytest
from diagnoses import CLASSES, answered, case, outcome

from pipeline.config import TrainConfig
from pipeline.diagnosis.contract import FOLLOWING
from pipeline.diagnosis.experiment import Outcome
from pipeline.diagnosis.judgements import (
    capacity,
    classes,
    data,
    judgements,
    labels,
    leaks,
    length,
    optimisation,
    regularisation,
    resolution,
)


def run(module, asked, accuracies, **values):
    """Outcomes of what a judgement wants, again and again, until it wants nothing that has an accuracy."""
    outcomes = {}
    while new := {
        each: found
        for each, found in answered(module.wants(asked, outcomes), accuracies, **values).items()
        if each not in outcomes
    }:
        outcomes |= new
    return outcomes


def test_a_rate_that_is_too_low_is_followed_up_until_it_no_longer_helps():
    accuracies = {
        "as it is": 0.10,
        "1/3 of the learning rate": 0.08,
        "3 times the learning rate": 0.20,
        "10 times the learning rate": 0.35,
        "30 times the learning rate": 0.45,
        "100 times the learning rate": 0.30,
        "300 times the learning rate": 0.99,  # nobody asks for it
    }
    asked = case(TrainConfig(workdir=None, learning_rate=0.004))
    outcomes = run(optimisation, asked, accuracies)
    assert len(outcomes) == 6
    (found,) = optimisation.judge(asked, outcomes)
    assert found.options == {"learning_rate": 0.12}
    assert found.gain.value == pytest.approx(0.35, abs=1e-3)
    assert found.comes_first
    assert "30 times the learning rate reaches 45.0% where 0.004 reaches 10.0%" in optimisation.say(found)


def test_a_rate_that_diverges_is_lowered_and_one_that_is_right_is_left_alone():
    asked = case(TrainConfig(workdir=None, learning_rate=12.0))
    diverged = outcome(0.1, failure="the training loss is no longer finite")
    outcomes = {asked.baseline: diverged}
    for accuracy in (0.3, 0.5, 0.45):
        new = [want.experiment for want in optimisation.wants(asked, outcomes) if want.experiment not in outcomes]
        lower = [each for each in new if each.config.learning_rate < 12]
        outcomes |= {each: outcome(accuracy) for each in lower} | {each: diverged for each in new if each not in lower}
    (found,) = optimisation.judge(asked, outcomes)
    assert found.comes_first
    assert found.remedy.startswith("a lower learning rate: 1.2 in place of 12")
    assert "diverged" in optimisation.say(found)
    right = {"as it is": 0.5, "1/3 of the learning rate": 0.48, "3 times the learning rate": 0.505}
    assert optimisation.judge(asked, run(optimisation, asked, right)) == []


def test_the_loss_says_how_it_went():
    fine = outcome(0.5)
    flat = dataclasses.replace(fine, step_losses=np.full(100, 2.3))
    spiky = dataclasses.replace(fine, step_losses=np.tile([0.2, 3.0], 50) + np.linspace(1.5, 0, 100))
    said = [optimisation.sign(each, 10) for each in (fine, flat, spiky)]
    assert said == ["fell evenly", "hardly fell", "was spiky"]


def test_more_images_are_forecast_from_a_quarter_and_half():
    asked = case()
    accuracies = {"as it is": 0.50, "0.5 of the training images": 0.42, "0.25 of the training images": 0.33}
    outcomes = run(data, asked, accuracies)
    (found,) = data.judge(asked, outcomes)
    assert 0.03 < found.gain.low < found.gain.value < found.gain.high < 0.15
    assert found.options is None
    said = data.say(found)
    assert "33.0% with 1,000, 42.0% with 2,000, 50.0% with 4,000" in said
    assert "with 8,000" in said
    assert data.at(asked, outcomes, 10).value > found.facts["forecast"]


def test_a_class_too_small_for_a_quarter_is_not_asked_about():
    asked = case(counts=[3] * 10)
    assert [want.experiment for want in data.wants(asked, {})] == [asked.baseline]
    assert data.judge(asked, {asked.baseline: outcome(0.5)}) == []


def test_a_longer_training_is_forecast_from_a_third():
    asked = case()
    (found,) = length.judge(asked, run(length, asked, {"as it is": 0.5, "4 epochs": 0.4}))
    assert found.options == {"epochs": 24}
    assert found.gain.low <= found.gain.value <= found.gain.high
    assert "40.0% in 4, 50.0% in 12" in length.say(found)


def test_a_narrow_network_is_widened_while_that_helps():
    accuracies = {
        "as it is": 0.30,
        "half the width": 0.20,
        "2 times the width": 0.40,
        "4 times the width": 0.45,
        "8 times the width": 0.45,
        "no augmentation, no regularisation": 0.31,
    }
    asked = case(TrainConfig(workdir=None, width=2))
    outcomes = run(capacity, asked, accuracies)
    assert capacity.unhindered(asked) in outcomes
    (found,) = capacity.judge(asked, outcomes)
    assert found.options["width"] in {8, 16}
    assert "does not learn all" in capacity.say(found)
    enough = {"as it is": 0.30, "half the width": 0.30, "2 times the width": 0.4}
    assert len(run(capacity, asked, enough)) == 2  # twice the width is not tried


def test_another_network_is_compared_with():
    asked = case(TrainConfig(workdir=None, model="lenet"), network={"model": "resnet", "input_scale": 0.5})
    (found,) = capacity.judge(asked, run(capacity, asked, {"as it is": 0.06, "the network resnet": 0.45}))
    assert found.options == {"model": "resnet", "input_scale": 0.5}
    assert found.remedy == "another network: model resnet, input_scale 0.5"


def test_larger_images_are_tried_where_detail_matters():
    asked = case()
    accuracies = {"as it is": 0.5, "images with the detail of 24 pixels": 0.4, "images of 96 pixels": 0.55}
    (found,) = resolution.judge(asked, run(resolution, asked, accuracies))
    assert found.options == {"image_size": 96}
    assert "55.0% at 96 pixels, 50.0% at 64, 40.0% with the detail of 24 pixels" in resolution.say(found)
    same = {"as it is": 0.5, "images with the detail of 24 pixels": 0.5, "images of 96 pixels": 0.55}
    assert len(run(resolution, asked, same)) == 2
    assert len(run(resolution, case(picture_side=64.0), accuracies)) == 2  # the files have no more pixels


def test_enlarged_images_need_their_originals():
    asked = case(detail_side=12)
    accuracies = {"as it is": 0.3, "images with the detail of 6 pixels": 0.2}
    (found,) = resolution.judge(asked, run(resolution, asked, accuracies))
    assert found.options is None
    assert found.gain.value == pytest.approx(0.1, abs=1e-3)  # two doublings, each half of what the last one lost
    assert "they were enlarged" in resolution.say(found)


def test_the_gap_says_in_which_direction_regularisation_is_tried():
    asked = case(TrainConfig(workdir=None, dropout=0.6, min_crop_area=0.05))
    small_gap = {
        "as it is": 0.3,
        "less regularisation": 0.4,
        "less dropout": 0.37,
        "more regularisation": 0.9,
        "no augmentation, no regularisation": 0.35,
    }
    (found,) = regularisation.judge(asked, run(regularisation, asked, small_gap, train_accuracy=0.31))
    assert found.facts["kind"] == "too much"
    assert found.options["dropout"] == 0.0
    assert found.options["min_crop_area"] == 0.5
    assert "less dropout 37.0%" in regularisation.say(found)
    free = case(TrainConfig(workdir=None, dropout=0.0, augment="none"))
    wide_gap = {"as it is": 0.4, "more regularisation": 0.47}
    (found,) = regularisation.judge(free, run(regularisation, free, wide_gap, train_accuracy=0.99))
    assert found.facts["kind"] == "too little"
    assert found.options["augment"] == "crop"


def test_images_that_leak_make_the_accuracy_too_good():
    plain = outcome(0.5)
    right = sorted(path for path, correct in zip(plain.paths, plain.correct, strict=True) if correct)
    asked = case(leaking=frozenset(right[:200]))
    (found,) = leaks.judge(asked, {asked.baseline: plain})
    assert found.comes_first
    assert found.gain.value == pytest.approx(800 / 1800 - 0.5)
    assert found.options == {"on_leak": "drop", "near_duplicates": "yes"}
    few = case(leaking=frozenset(right[:3]))
    assert leaks.judge(few, {few.baseline: plain}) == []


def noisy(flipped, images=3000):
    """Labels of which a part is flipped, the answers of a network to the images, and which labels are flipped."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(CLASSES), images)
    evidence = rng.normal(0, 1, (images, len(CLASSES)))
    evidence[np.arange(images), truth] += 2.6
    probabilities = np.exp(1.5 * evidence)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    wrong = rng.random(images) < flipped
    given = np.where(wrong, (truth + rng.integers(1, len(CLASSES), images)) % len(CLASSES), truth)
    return given, probabilities.astype(np.float32), wrong


@pytest.mark.parametrize(("flipped", "precision"), [(0.1, 0.6), (0.2, 0.75)])
def test_flipped_labels_are_found_and_their_share_is_estimated(flipped, precision):
    given, probabilities, wrong = noisy(flipped)
    estimate = labels.share(given, probabilities)
    assert estimate.low - 0.02 < flipped < estimate.high
    found, _ = labels.named(given, probabilities)
    assert wrong[found].mean() > precision
    assert wrong[found].sum() > 0.6 * wrong.sum()


def test_where_no_label_is_wrong_few_are_named():
    given, probabilities, _ = noisy(0.0)
    found, _ = labels.named(given, probabilities)
    assert len(found) < 0.03 * len(given)


def test_labels_are_judged_from_what_was_held_out():
    asked = case(counts=[300] * 10)
    given, probabilities, _ = noisy(0.2)
    outcomes = {asked.baseline: outcome(0.5)}
    assert labels.judge(asked, outcomes) == []
    folds = [want.experiment for want in labels.wants(asked, outcomes) if want.experiment.part.folds]
    for number, fold in enumerate(folds):
        rows = np.arange(number, len(given), len(folds))
        paths = [f"{row}.png" for row in rows]
        outcomes[fold] = Outcome("run", paths, given[rows], probabilities[rows], 0.7, np.empty(0), 1.0)
    (found,) = labels.judge(asked, outcomes)
    assert found.comes_first
    assert found.facts["named"] == len(labels.suspicious(asked, outcomes))
    assert f"{found.facts['named']:,} of 3,000 images are named" in labels.say(found)
    (following,) = [want for want in labels.wants(asked, outcomes) if want.rank == FOLLOWING]
    outcomes[following.experiment] = outcome(0.58)
    (found,) = labels.judge(asked, outcomes)
    assert found.gain.value == pytest.approx(0.08, abs=1e-3)


def test_pairs_that_are_confused_both_ways_and_small_classes_are_named():
    asked = case(counts=[400] * 9 + [40])
    plain = outcome(1.0)
    answers, number = plain.labels.copy(), np.arange(len(plain.labels))
    answers[(plain.labels == 0) & (number % 40 == 0)] = 1
    answers[(plain.labels == 1) & (number % 40 == 1)] = 0
    answers[(plain.labels == 9) & (number % 20 == 9)] = 3
    confused = dataclasses.replace(plain, probabilities=np.eye(10, dtype=np.float32)[answers])
    pair, small = classes.judge(asked, {asked.baseline: confused})
    assert pair.changes_question
    assert pair.gain.value == pytest.approx(0.05)
    assert "class 0 and class 1 (50 and 50 images)" in classes.say(pair)
    assert small.gain.value == pytest.approx(0.1 * (17 / 18 - 0.5), abs=1e-3)
    assert "class 9 (40)" in classes.say(small)


def test_every_judgement_wants_the_training_itself_and_says_nothing_without_it():
    asked = case()
    for module in judgements().values():
        assert asked.baseline in [want.experiment for want in module.wants(asked, {})]
        assert module.judge(asked, {}) == []
