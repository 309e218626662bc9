import optuna

from pipeline.search.trial import count_better


def test_trials_that_were_better_are_counted_among_those_that_are_complete():
    study = optuna.create_study(direction="maximize")
    for value in (0.5, 0.6, 0.6, 0.7):
        study.add_trial(optuna.trial.create_trial(value=value))
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED))
    assert [count_better(study, value) for value in (0.4, 0.6, 0.65, 0.8)] == [4, 1, 1, 0]
