"""What each change brought, from the accuracies of the rungs."""

import math
from collections.abc import Sequence

import pandas as pd

from pipeline.ablation.ladder import ALONE, CLIMB, START, WITHOUT

MATTERS = 0.15
MOST_NAMED = 3


def effects(results: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """One row a change and reading: change, reading, effect, low, high, seeds.

    results: reading, change, seed and val_accuracy (missing where a rung could not be trained), one row a training.
    names: the changes in the order of the climb. An effect is the mean over the seeds that both of its rungs have of
    the difference in val_accuracy; low and high are the least and the greatest.
    """
    by_rung = {
        key: rows.set_index("seed")["val_accuracy"].dropna() for key, rows in results.groupby(["reading", "change"])
    }
    start, goal = by_rung[CLIMB, START], by_rung[CLIMB, names[-1]]
    rows = []
    for before, name in zip([START, *names], names, strict=False):
        pairs = {
            CLIMB: (by_rung.get((CLIMB, name)), by_rung.get((CLIMB, before))),
            ALONE: (by_rung.get((ALONE, name)), start),
            WITHOUT: (goal, by_rung.get((WITHOUT, name))),
        }
        rows += [
            _row(name, reading, *pair) for reading, pair in pairs.items() if pair[0] is not None and pair[1] is not None
        ]
    return pd.DataFrame(rows, columns=["change", "reading", "effect", "low", "high", "seeds"])


def _row(name: str, reading: str, after: pd.Series, before: pd.Series) -> dict:
    differences = (after - before).dropna()
    return {
        "change": name,
        "reading": reading,
        "effect": differences.mean(),
        "low": differences.min(),
        "high": differences.max(),
        "seeds": len(differences),
    }


def sentences(table: pd.DataFrame, start: float, goal: float) -> list[str]:
    """What the effects say, in words: the changes that matter, each with its three readings.

    table: as `effects` gives it. start, goal: mean val_accuracy at both ends; NaN for a goal that could not be trained.
    """
    climb = table[table["reading"] == CLIMB].set_index("change")
    gained = climb["effect"].sum() if math.isnan(goal) else goal - start
    if math.isnan(goal):
        lines = [
            f"From {start:.1%}; the goal could not be trained, the rungs that could bring {100 * gained:+.1f} points."
        ]
    else:
        lines = [f"From {start:.1%} to {goal:.1%}: {100 * gained:+.1f} points of val_accuracy."]
    if unread := list(climb.index[climb["effect"].isna()]):
        lines.append(f"Not to be read on the climb, for a rung that could not be trained: {', '.join(unread)}.")
    matter = climb[(climb["low"] > 0) & (climb["effect"] >= MATTERS * gained)].sort_values("effect", ascending=False)
    if matter.empty and gained > 0:
        lines.append(f"No single change brought {MATTERS:.0%} of it in every seed.")
    for name, row in matter.head(MOST_NAMED).iterrows():
        lines.append(
            f"{name}: {100 * row['effect']:+.1f} points on the climb ({100 * row['low']:+.1f} to "
            f"{100 * row['high']:+.1f} over {row['seeds']:.0f} seeds){_other_readings(table, str(name))}."
        )
    worse = climb[climb["high"] < 0]
    lines += [
        f"{name} made it worse on the climb in every seed: {100 * row['effect']:+.1f}."
        for name, row in worse.iterrows()
    ]
    return lines


def _other_readings(table: pd.DataFrame, name: str) -> str:
    texts = {ALONE: "alone on top of the start {:+.1f}", WITHOUT: "and the goal without it lacks {:.1f}"}
    of_change = table[table["change"] == name].set_index("reading")["effect"].dropna()
    said = [text.format(100 * of_change[reading]) for reading, text in texts.items() if reading in of_change]
    return "; " + ", ".join(said) if said else ""
