import optuna
import pytest

from pipeline.search.trial_fit import count_better


@pytest.mark.parametrize(("metric", "better"), [("val_accuracy", [4, 1, 1, 0]), ("val_loss", [0, 1, 3, 4])])
def test_trials_that_were_better_are_counted_among_those_that_are_complete(metric, better):
    study = optuna.create_study(direction="maximize")
    study.set_metric_names([metric])
    for value in (0.5, 0.6, 0.6, 0.7):
        study.add_trial(optuna.trial.create_trial(value=value))
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED))
    assert [count_better(study, value) for value in (0.4, 0.6, 0.65, 0.8)] == better
