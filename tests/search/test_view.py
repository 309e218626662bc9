import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from pipeline.search import view
from pipeline.search.study import OUTCOME

SPACE = {
    "learning_rate": FloatDistribution(0.001, 0.1, log=True),
    "depth": IntDistribution(1, 3),
    "augment": CategoricalDistribution(["none", "flip"]),
}


@pytest.fixture(params=["val_accuracy", "val_balanced_accuracy"])
def metric(request):
    return request.param


@pytest.fixture
def study(metric):
    """Two complete trials of four epochs, one pruned after one, one that failed."""
    study = optuna.create_study(direction="maximize")
    study.set_metric_names([metric])
    for values, state, seconds in (
        ([0.1, 0.2, 0.3, 0.4], None, 8.0),
        ([0.05], TrialState.PRUNED, 3.0),
        ([0.1, 0.3, 0.5, 0.45], None, 8.0),
        ([], TrialState.FAIL, 0.0),
    ):
        trial = study.ask(SPACE)
        for epoch, value in enumerate(values, 1):
            trial.report(value, epoch)
        scores = {"val_accuracy": 0.9, "val_balanced_accuracy": 0.9, "val_loss": 1.0} if values else {}
        outcome = {"full_epochs": 4, "training_seconds": seconds, "reason": "why", "scores": scores}
        trial.set_user_attr(OUTCOME, outcome)
        study.tell(trial, max(values) if state is None else None, state)
    return study


def test_the_table_has_a_row_a_trial(study, metric):
    table = pd.DataFrame(view.trial_rows(study))
    assert table["state"].tolist() == ["complete", "pruned", "complete", "failed"]
    assert table[metric].tolist()[:3] == [0.4, 0.05, 0.5]
    assert table["val_loss"].tolist()[:3] == [1.0, 1.0, 1.0]
    other = {"val_accuracy", "val_balanced_accuracy"} - {metric}
    assert table[other.pop()].tolist()[:3] == [0.9, 0.9, 0.9]
    assert table["epochs"].tolist() == [4, 1, 4, 0]
    assert set(SPACE) <= set(table)


def test_what_pruning_saved_is_the_missing_epochs_at_the_trials_own_pace(study, metric):
    metrics = view.study_metrics(pd.DataFrame(view.trial_rows(study)), metric)
    assert metrics["pruning_saved_seconds"] == 3 * 3.0
    assert metrics["pruning_saved_fraction"] == pytest.approx(9 / (9 + 19))
    assert (metrics["best_trial"], metrics[f"best_{metric}"]) == (2, 0.5)
    assert [metrics[f"trials_{state}"] for state in ("complete", "pruned", "failed")] == [2, 1, 1]


def test_the_curves_have_a_row_an_epoch(study, metric):
    curves = view.curves_table(study)
    assert len(curves) == 4 + 1 + 4
    assert curves[curves["number"] == 1][metric].tolist() == [0.05]


def test_the_best_trial_is_named_by_what_it_is_judged_by(study, metric):
    assert f"trial-002, {metric} 50.0%" in view.best_of(study)


def test_scales():
    assert view.scales_of(SPACE) == {"learning_rate": "log", "depth": "linear", "augment": "category"}


def test_importance_is_not_given_for_too_few_trials(study):
    assert view.importance_of(study) == {}
