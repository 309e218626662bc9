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


@pytest.fixture
def study():
    """Two complete trials of four epochs, one pruned after one, one that failed."""
    study = optuna.create_study(direction="maximize")
    for values, state, seconds in (
        ([0.1, 0.2, 0.3, 0.4], None, 8.0),
        ([0.05], TrialState.PRUNED, 3.0),
        ([0.1, 0.3, 0.5, 0.45], None, 8.0),
        ([], TrialState.FAIL, 0.0),
    ):
        trial = study.ask(SPACE)
        for epoch, value in enumerate(values, 1):
            trial.report(value, epoch)
        trial.set_user_attr(OUTCOME, {"full_epochs": 4, "training_seconds": seconds, "reason": "why"})
        study.tell(trial, max(values) if state is None else None, state)
    return study


def test_the_table_has_a_row_a_trial(study):
    table = pd.DataFrame(view.trial_rows(study))
    assert table["state"].tolist() == ["complete", "pruned", "complete", "failed"]
    assert table["val_accuracy"].tolist()[:3] == [0.4, 0.05, 0.5]
    assert table["epochs"].tolist() == [4, 1, 4, 0]
    assert set(SPACE) <= set(table)


def test_what_pruning_saved_is_the_missing_epochs_at_the_trials_own_pace(study):
    metrics = view.study_metrics(pd.DataFrame(view.trial_rows(study)))
    assert metrics["pruning_saved_seconds"] == 3 * 3.0
    assert metrics["pruning_saved_fraction"] == pytest.approx(9 / (9 + 19))
    assert (metrics["best_trial"], metrics["best_val_accuracy"]) == (2, 0.5)
    assert [metrics[f"trials_{state}"] for state in ("complete", "pruned", "failed")] == [2, 1, 1]


def test_the_curves_have_a_row_an_epoch(study):
    curves = view.curves_table(study)
    assert len(curves) == 4 + 1 + 4
    assert curves[curves["number"] == 1]["val_accuracy"].tolist() == [0.05]


def test_scales():
    assert view.scales_of(SPACE) == {"learning_rate": "log", "depth": "linear", "augment": "category"}


def test_importance_is_not_given_for_too_few_trials(study):
    assert view.importance_of(study) == {}
