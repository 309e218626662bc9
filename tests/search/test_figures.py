import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.tri import TriContourSet

from pipeline.search import figures

SCALES = {"learning_rate": "log", "dropout": "linear", "depth": "linear", "augment": "category"}


def trials_table(count, states=("complete", "pruned"), seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "number": np.arange(count),
            "state": rng.choice(states, count),
            "val_accuracy": rng.random(count),
            "learning_rate": 10 ** rng.uniform(-3, 0, count),
            "dropout": rng.uniform(0, 0.6, count),
            "depth": rng.integers(1, 4, count),
            "augment": rng.choice(["none", "crop"], count),
        }
    )


def curves_of(trials, metric):
    rows = [
        {"number": trial.number, "state": trial.state, "epoch": epoch, metric: getattr(trial, metric) * epoch / 3}
        for trial in trials.itertuples()
        for epoch in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["number", "state", "epoch", metric])


def drawn(trials, metric="val_accuracy"):
    trials = trials.rename(columns={"val_accuracy": metric})
    curves = curves_of(trials, metric)
    return [
        figures.optimization_history(trials, metric),
        figures.slices(trials, SCALES, metric),
        figures.parallel_coordinates(trials, SCALES, metric),
        figures.contour(trials, "learning_rate", "dropout", SCALES, metric),
        figures.learning_curves(curves, "curves", 0, metric),
    ]


@settings(max_examples=8, deadline=None)
@given(
    st.integers(1, 12),
    st.sampled_from([("complete",), ("pruned",), ("complete", "pruned", "failed")]),
    st.sampled_from(["val_accuracy", "val_balanced_accuracy", "val_loss"]),
)
def test_a_study_can_be_drawn_from_its_first_trial_on(count, states, metric):
    for figure in drawn(trials_table(count, states), metric):
        assert isinstance(figure, Figure)
        figure.draw_without_rendering()


def test_trials_that_are_all_alike_can_be_drawn():
    one = trials_table(1, ("complete",))
    alike = pd.concat([one] * 5, ignore_index=True).assign(number=range(5))
    for figure in drawn(alike):
        figure.draw_without_rendering()


def test_history_shows_the_best_so_far():
    trials = pd.DataFrame(
        {
            "number": [0, 1, 2, 3],
            "state": ["complete", "pruned", "complete", "complete"],
            "val_accuracy": [0.2, 0.9, 0.5, 0.3],
        }
    )
    axes = figures.optimization_history(trials).axes[0]
    best = next(line for line in axes.lines if line.get_label() == "best so far")
    assert list(best.get_ydata()) == [0.2, 0.5, 0.5]
    assert axes.get_title() == "best val_accuracy 50.0%, of 3 complete trials"


def test_of_losses_the_lowest_is_the_best():
    trials = trials_table(4, ("complete",)).assign(val_loss=[0.9, 0.4, 0.5, 0.4])
    axes = figures.optimization_history(trials, "val_loss").axes[0]
    assert axes.get_title() == "best val_loss 0.400, of 4 complete trials"
    assert axes.get_ylabel() == "val_loss"
    assert "best 0.400" in legend_of(figures.contour(trials, "learning_rate", "dropout", SCALES, "val_loss"))


def test_every_slice_and_axis_is_named():
    trials = trials_table(9)
    slices = figures.slices(trials, SCALES)
    assert [axes.get_xlabel() for axes in slices.axes] == list(SCALES)
    (axes,) = figures.parallel_coordinates(trials, SCALES).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [*SCALES, "val_accuracy"]


def test_categories_stand_in_their_order():
    trials = trials_table(6).assign(batch_size=[128, 32, 64, 128, 32, 64])
    figure = figures.slices(trials, {"batch_size": "category"})
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["32", "64", "128"]


def test_importances_are_the_given_ones():
    axes = figures.importances({"learning_rate": 0.7, "dropout": 0.3}, 20).axes[0]
    assert [patch.get_width() for patch in axes.patches] == [0.3, 0.7]
    assert [text.get_text() for text in axes.texts] == ["30%", "70%"]


def test_of_few_trials_it_is_too_early_for_importances():
    (said,) = figures.importances({"learning_rate": 0.7}, 19).texts
    assert "19 complete trials: too early" in said.get_text()


@pytest.mark.parametrize("count", [6, 12])
def test_a_contour_is_filled_only_between_enough_trials(count):
    axes, _ = figures.contour(trials_table(count, ("complete",)), "learning_rate", "dropout", SCALES).axes
    assert any(isinstance(each, TriContourSet) for each in axes.collections) == (count == 12)


def legend_of(figure):
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


@pytest.mark.parametrize("states", [("complete",), ("pruned",), ("complete", "pruned")])
def test_a_legend_names_only_what_is_drawn(states):
    trials = trials_table(12, states)
    for figure in (
        figures.optimization_history(trials),
        figures.slices(trials, SCALES),
        figures.contour(trials, "learning_rate", "dropout", SCALES),
    ):
        assert legend_of(figure) & {"complete", "pruned"} == set(states)


def test_ticks_are_written_with_the_digits_that_they_have():
    trials = trials_table(12).assign(val_accuracy=np.linspace(0.18, 0.28, 12))
    for axes in (
        figures.slices(trials, SCALES).axes[0].yaxis,
        figures.optimization_history(trials).axes[0].yaxis,
        figures.importances({"depth": 1.0}, 20).axes[0].xaxis,
    ):
        for tick in axes.get_major_locator()():
            written = axes.get_major_formatter()(tick)
            assert float(written.rstrip("%")) / 100 == pytest.approx(tick)
    ticks = figures._ticks(trials["val_accuracy"], "linear", is_accuracy=True)
    assert [text for _, text in ticks] == ["18%", "20%", "22%", "24%", "26%", "28%"]
