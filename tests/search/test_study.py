import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import Trial, TrialState

from pipeline import config as options
from pipeline import models
from pipeline.errors import UserError
from pipeline.search import study as studies
from pipeline.search.executors.processes import shares
from pipeline.search.final import final_config
from pipeline.search.outcomes import settle_all_running
from pipeline.search.trials import trial_config

SPACE = {"learning_rate": FloatDistribution(0.001, 0.1, log=True), "dropout": FloatDistribution(0.0, 0.5)}


def config_of(**typed):
    return options.resolve("search", {"model": "two-layer-numpy"} | typed, recipe_of=models.recipe, config_of_run=dict)


@pytest.fixture
def study(tmp_path):
    return open_study(tmp_path)


def open_study(folder):
    return studies.open_study(f"sqlite:///{folder / 'optuna.db'}", "a study", optuna.pruners.NopPruner())


def tell(study, value):
    trial = studies.ask(study, config_of(), SPACE)
    study.tell(trial, value)
    return trial


def drawn(folder, seed, trials):
    """The values of a study's trials, each asked for by a process of its own."""
    values = []
    for number in range(trials):
        study = open_study(folder)
        trial = studies.ask(study, config_of(seed=str(seed)), SPACE)
        study.tell(trial, 0.1 * number)
        values.append(trial.params)
    return values


def test_the_same_seed_draws_the_same_trials_however_often_the_study_was_interrupted(tmp_path):
    folders = [tmp_path / name for name in ("first", "again", "other")]
    for folder in folders:
        folder.mkdir()
    whole = open_study(folders[0])
    unbroken = []
    for number in range(14):
        trial = studies.ask(whole, config_of(seed="3"), SPACE)
        whole.tell(trial, 0.1 * number)
        unbroken.append(trial.params)
    assert drawn(folders[1], 3, 14) == unbroken
    assert drawn(folders[2], 4, 14) != unbroken
    assert len({tuple(params.values()) for params in unbroken}) == 14


def test_a_study_is_continued_only_with_the_options_it_was_begun_with(study):
    studies.check_identity(study, config_of(), SPACE, "digest")
    studies.check_identity(study, config_of(trials="50", workers="2", final_epochs="70"), SPACE, "digest")
    with pytest.raises(UserError) as refused:
        studies.check_identity(study, config_of(batch_size="64", seed="1"), SPACE, "another")
    assert "batch_size was 32, now 64" in str(refused.value)
    assert "seed was 0, now 1" in str(refused.value)
    assert "data_digest was digest, now another" in str(refused.value)
    wider = SPACE | {"dropout": FloatDistribution(0.0, 0.9)}
    with pytest.raises(UserError, match=r"space.dropout was \{'low': 0.0, 'high': 0.5\}, now"):
        studies.check_identity(study, config_of(), wider, "digest")


def test_what_is_searched_may_have_another_own_value(study):
    studies.check_identity(study, config_of(), SPACE, "digest")
    studies.check_identity(study, config_of(learning_rate="0.05"), SPACE, "digest")


def test_a_trial_whose_process_died_is_failed_and_tried_again_once(study):
    tell(study, 0.3)
    lost = studies.ask(study, config_of(), SPACE)
    assert [outcome.number for outcome in settle_all_running(study, 3, "died")] == [lost.number]
    again = studies.ask(study, config_of(), SPACE)
    assert again.params == lost.params
    assert again.number != lost.number
    settle_all_running(study, 3, "died")
    third = studies.ask(study, config_of(), SPACE)
    assert third.params != lost.params
    assert [trial.state for trial in study.trials] == [
        TrialState.COMPLETE,
        TrialState.FAIL,
        TrialState.FAIL,
        TrialState.RUNNING,
    ]
    assert len(studies.finished(study)) == 1


def test_a_process_that_died_between_failing_a_trial_and_queueing_it_loses_nothing(study):
    lost = studies.ask(study, config_of(), SPACE)
    Trial(study, lost._trial_id).set_user_attr(studies.ABANDONED, True)
    study.tell(lost, state=TrialState.FAIL)
    assert settle_all_running(study, 3, "died") == []
    assert studies.ask(study, config_of(), SPACE).params == lost.params
    studies.retry_abandoned(study)
    assert len(study.trials) == 2


def test_the_best_trials_of_equals_the_earlier(study):
    for value in (0.3, 0.5, 0.5, 0.1):
        tell(study, value)
    assert [trial.number for trial in studies.best_trials(study, 3)] == [1, 2, 0]


def test_equal_trials_are_told_apart_by_their_val_loss(study):
    for value, val_loss in ((0.5, 0.9), (0.5, 0.7), (0.4, 0.1)):
        trial = studies.ask(study, config_of(), SPACE)
        trial.set_user_attr(studies.OUTCOME, {"scores": {"val_loss": val_loss}})
        study.tell(trial, value)
    assert [trial.number for trial in studies.best_trials(study, 3)] == [1, 0, 2]


def test_a_study_of_losses_has_the_lowest_first_and_takes_no_other_metric(tmp_path):
    address = f"sqlite:///{tmp_path / 'optuna.db'}"
    study = studies.open_study(address, "losses", optuna.pruners.NopPruner(), "val_loss")
    for value in (0.9, 0.3, 0.5):
        tell(study, value)
    assert [trial.number for trial in studies.best_trials(study, 3)] == [1, 2, 0]
    assert study.best_trial.number == 1
    with pytest.raises(UserError, match="judges its trials by val_loss, not by val_accuracy"):
        studies.open_study(address, "losses", optuna.pruners.NopPruner(), "val_accuracy")


@pytest.mark.parametrize(("sampler", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_a_sampler_whose_package_is_missing_is_refused(sampler, package, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"--sampler {sampler} needs the package {package}: pip install"):
        studies.check_sampler(sampler)


@pytest.mark.parametrize(
    ("cores", "count", "expected"),
    [
        ([0, 1], 1, [[0, 1]]),
        ([0, 1], 2, [[0], [1]]),
        ([0, 1], 3, [[0], [1], [0]]),
        ([2, 3, 5, 7, 8], 2, [[2, 5, 8], [3, 7]]),
    ],
)
def test_workers_share_the_cores(cores, count, expected):
    assert shares(cores, count) == expected


@pytest.mark.parametrize("trial_size", [24, 32, 48, 64, 96])
@pytest.mark.parametrize(("initial", "seen"), [(0.5, 1.0), (0.5, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_a_trial_sees_images_as_large_as_the_training_at_the_end_does_while_it_has_them(trial_size, initial, seen):
    typed = {"image_size": trial_size, "input_scale": seen, "initial_scale": initial, "final_image_size": 64}
    config = options.resolve("search", {"model": "resnet", **typed}, recipe_of=models.recipe, config_of_run=dict)
    trial = trial_config(config, {})
    assert trial.image_size * trial.input_scale == pytest.approx(min(trial_size, 64 * seen))
    assert trial.image_size * trial.initial_scale == pytest.approx(min(trial_size, 64 * initial))
    assert trial_config(config, {"initial_scale": 0.9}).initial_scale == 0.9
    final = final_config(config, {"learning_rate": 0.03}, {})
    assert (final.image_size, final.input_scale, final.initial_scale) == (64, seen, initial)
    assert final.learning_rate == 0.03
