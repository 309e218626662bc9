import pytest
from diagnoses import case, outcome

from pipeline.config import TrainConfig
from pipeline.diagnosis.pace import Pace, corrected, seconds_of
from pipeline.diagnosis.planner import core, next_of, sized, wanted

PACE = Pace(seconds_an_image=0.001, overhead=5.0)
LONG = TrainConfig(workdir=None, width=32, dropout=0.0, epochs=100)


def total(asked):
    return sum(seconds_of(want.experiment, asked, PACE) for want in core(asked))


def test_experiments_are_as_long_as_the_budget_allows():
    asked = case(LONG)
    short, long = (sized(asked, PACE, minutes * 60) for minutes in (20, 60))
    assert short.epochs < long.epochs <= 100
    assert total(short) <= 0.6 * 1200
    assert sized(asked, PACE, 1e6).epochs == 100
    assert sized(asked, PACE, 200).fraction < 1


def test_the_training_itself_comes_first_then_what_is_cheap_and_nothing_beyond_the_budget():
    asked = case()
    assert next_of(asked, {}, PACE, 0.0) == asked.baseline
    outcomes, left, done = {asked.baseline: outcome(0.5)}, 400.0, []
    while experiment := next_of(asked, outcomes, PACE, left):
        done.append(seconds_of(experiment, asked, PACE))
        assert done[-1] <= left
        left -= done[-1]
        outcomes[experiment] = outcome(0.5)
    assert done[:3] == sorted(done[:3])
    assert wanted(asked, outcomes)


def test_where_nothing_is_learned_it_is_asked_why_and_nothing_else():
    asked = case()
    names = {want.experiment.name for want in wanted(asked, {asked.baseline: outcome(0.11)})}
    assert names >= {"1/3 of the learning rate", "half the width"}
    assert not any("fold" in name for name in names)


def test_what_brings_most_is_trained_with_more_seeds():
    asked = case()
    (rate,) = [want.experiment for want in core(asked) if want.experiment.name == "3 times the learning rate"]
    outcomes = {asked.baseline: outcome(0.5), rate: outcome(0.6)}
    names = {(want.experiment.name, want.experiment.config.seed) for want in wanted(asked, outcomes)}
    assert {("as it is", 1), ("3 times the learning rate", 1)} <= names


def test_the_pace_is_corrected_by_what_was_seen():
    asked = case()
    expected = seconds_of(asked.baseline, asked, PACE)
    slower = corrected(PACE, asked, {asked.baseline: outcome(0.5, seconds=2 * expected)})
    assert seconds_of(asked.baseline, asked, slower) == pytest.approx(2 * expected)
