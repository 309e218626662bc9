import pandas as pd
import pytest

from pipeline.ablation import figures
from pipeline.ablation.effects import effects, sentences


def results():
    """Two changes and three seeds: the first brings 20 points, the second 1 with either sign."""
    rows = []

    def add(reading, change, *accuracies):
        rows.extend(
            {"reading": reading, "change": change, "seed": seed, "val_accuracy": value}
            for seed, value in enumerate(accuracies)
        )

    add("climb", "start", 0.10, 0.12, 0.11)
    add("climb", "big", 0.30, 0.32, 0.31)
    add("climb", "small", 0.31, 0.31, 0.33)
    add("alone", "big", 0.25)
    add("alone", "small", 0.12)
    add("without", "big", 0.13)
    add("without", "small", None)
    return pd.DataFrame(rows)


def of(table, change, reading):
    return table[(table["change"] == change) & (table["reading"] == reading)].iloc[0]


def test_effects_are_differences_seed_by_seed():
    table = effects(results(), ["big", "small"])
    big = of(table, "big", "climb")
    assert (big["effect"], big["low"], big["high"], big["seeds"]) == pytest.approx((0.2, 0.2, 0.2, 3))
    small = of(table, "small", "climb")
    assert (small["effect"], small["low"], small["high"]) == pytest.approx((0.02 / 3, -0.01, 0.02))
    assert of(table, "big", "alone")["effect"] == pytest.approx(0.15)
    assert of(table, "big", "without")["effect"] == pytest.approx(0.31 - 0.13)
    assert of(table, "small", "without")["seeds"] == 0  # it could not be trained


def test_what_matters_is_named_in_words_and_what_does_not_is_not():
    table = effects(results(), ["big", "small"])
    said = sentences(table, 0.11, 0.3167)
    assert said[0] == "From 11.0% to 31.7%: +20.7 points of val_accuracy."
    assert said[1] == (
        "big: +20.0 points on the climb (+20.0 to +20.0 over 3 seeds); alone on top of the start +15.0, "
        "and the goal without it lacks 18.0."
    )
    assert len(said) == 2


def test_a_change_that_made_it_worse_is_said_to():
    worse = results()
    worse.loc[(worse["reading"] == "climb") & (worse["change"] == "small"), "val_accuracy"] = [0.2, 0.2, 0.2]
    said = sentences(effects(worse, ["big", "small"]), 0.11, 0.2)
    assert said[-1].startswith("small made it worse on the climb in every seed: -11.0")


def test_the_waterfall_is_drawn_also_where_a_rung_is_missing():
    table = effects(results(), ["big", "small"])
    means = pd.Series({"start": 0.11, "big": float("nan"), "small": 0.317})
    figures.waterfall(means, table, "title", {}).draw_without_rendering()
    means["big"] = 0.31
    figure = figures.waterfall(means, table, "title", {"big": "width 16 → 32"})
    figure.draw_without_rendering()
    climb_axes = figure.axes[0]
    assert [label.get_text() for label in climb_axes.get_yticklabels()] == ["start", "width 16 → 32", "small"]
    # Whiskers and what is written behind them have room.
    assert climb_axes.get_xlim()[1] > max(line.get_xdata().max() for line in climb_axes.lines)
