import optuna
import pytest
from optuna.trial import Trial, TrialState

from pipeline.search.outcomes import COMPLETE, FAILED, PRUNED, TrialOutcome, settle, settle_all_running, write
from pipeline.search.storage import open_storage, sqlite_address


@pytest.fixture
def study(tmp_path):
    return optuna.create_study(storage=open_storage(sqlite_address(tmp_path / "optuna.db")), direction="maximize")


def reported(study, values):
    trial = study.ask()
    trial.set_user_attr("run_id", "abc")
    for epoch, value in enumerate(values, 1):
        trial.report(value, epoch)
    return trial


@pytest.mark.parametrize(
    ("state", "value", "expected"),
    [
        (COMPLETE, 0.9, TrialState.COMPLETE),
        (PRUNED, 0.2, TrialState.PRUNED),
        (FAILED, None, TrialState.FAIL),
    ],
)
def test_an_outcome_that_was_written_holds_though_the_answer_was_lost(study, state, value, expected):
    trial = reported(study, [0.2])
    outcome = TrialOutcome(trial.number, state, "why", value, "abc", 1)
    write(Trial(study, trial._trial_id), outcome, 3)
    assert settle_all_running(study, 3, "died") == [outcome]
    assert [each.state for each in study.trials] == [expected]


def test_a_trial_whose_epochs_were_all_reported_is_complete(study):
    trial = reported(study, [0.2, 0.9, 0.5])
    assert settle(study, trial._trial_id, None, 3, "died") == TrialOutcome(trial.number, COMPLETE, "", 0.9, "abc", 3)
    assert [(each.state, each.value) for each in study.trials] == [(TrialState.COMPLETE, 0.9)]


def test_a_trial_that_had_epochs_left_is_tried_again(study):
    trial = reported(study, [0.2, 0.9])
    assert settle(study, trial._trial_id, None, 3, "died").state == FAILED
    assert [each.state for each in study.trials] == [TrialState.FAIL, TrialState.WAITING]


def test_a_trial_that_another_search_has_settled_is_left_as_it_is(study):
    trial = reported(study, [0.2])
    settle(study, trial._trial_id, None, 3, "died")
    answer = TrialOutcome(trial.number, COMPLETE, "", 0.9, "abc", 3)
    assert settle(study, trial._trial_id, answer, 3, "died") == answer
    assert [each.state for each in study.trials] == [TrialState.FAIL, TrialState.WAITING]
