"""Two models on the same images, class by class and image by image."""

import numpy as np
import pandas as pd

from pipeline.errors import UserError, shown
from pipeline.evaluation.comparison import mcnemar
from pipeline.evaluation.intervals import QUANTILE

FIRST, SECOND = "first", "second"


def together(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """One row an image: path, label, and of both models (…_first, …_second) predicted, correct and probability.

    first, second: predictions, as measures.predictions gives them. Raises UserError if they are not of the same images
    with the same labels; those of an earlier version, which have no contents, are known by their paths alone.
    """
    _check_same_images(first, second)
    columns = ["path", "label", "predicted", "correct", "probability"]
    both = first[columns].merge(second[columns], on="path", suffixes=(f"_{FIRST}", f"_{SECOND}"), validate="one_to_one")
    other = both[both[f"label_{FIRST}"] != both[f"label_{SECOND}"]]
    if len(other):
        path, label, second_label = other.iloc[0][["path", f"label_{FIRST}", f"label_{SECOND}"]]
        raise UserError(
            f"the two runs have other labels for {len(other):,} images, such as {shown(path)}: {shown(label)} and "
            f"{shown(second_label)}; compare takes runs on the same images with the same labels"
        )
    return both.rename(columns={f"label_{FIRST}": "label"}).drop(columns=f"label_{SECOND}")


def _check_same_images(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Raise UserError if two tables of predictions are not of the same files."""
    apart = set(first["path"]) ^ set(second["path"])
    if apart or len(first) != len(second):
        named = f", such as {shown(min(apart))}" if apart else ""
        raise UserError(
            f"the two runs answered different images, {len(first):,} and {len(second):,}, of which {len(apart):,} are "
            f"of one run alone{named}; compare takes runs on the same images"
        )
    if "content" in first and "content" in second:
        contents = first[["path", "content"]].merge(second[["path", "content"]], on="path", suffixes=("", "_other"))
        changed = contents[contents["content"] != contents["content_other"]]["path"]
        if len(changed):
            raise UserError(
                f"{len(changed):,} images of the two runs have the same path and other contents, such as "
                f"{shown(changed.iloc[0])}; compare takes runs on the same images"
            )


def outcome(both: pd.DataFrame) -> dict[str, float]:
    """What the comparison comes to: accuracies, their difference with its 95 % interval, who is right where, and p.

    The interval is that of a difference of paired fractions (Agresti 2013, section 11.1); p is McNemar's.
    """
    first, second = (both[f"correct_{each}"].to_numpy(bool) for each in (FIRST, SECOND))
    only_first, only_second, p = mcnemar(first, second)
    images, difference = len(both), float(second.mean() - first.mean())
    reach = QUANTILE * np.sqrt(max(only_first + only_second - images * difference**2, 0)) / images
    return {
        "first_accuracy": float(first.mean()),
        "second_accuracy": float(second.mean()),
        "difference": difference,
        "difference_low": difference - reach,
        "difference_high": difference + reach,
        "both_right": int((first & second).sum()),
        "only_first_right": only_first,
        "only_second_right": only_second,
        "both_wrong": int((~first & ~second).sum()),
        "mcnemar_p": p,
    }


def class_changes(both: pd.DataFrame) -> pd.DataFrame:
    """One row a class, the greatest gain of the second model first.

    class, images, first_accuracy, second_accuracy, change, only_first, only_second, p (McNemar's) and p_adjusted: for
    there being many classes: of those below 0.05 one in twenty moved by chance, on average (Benjamini & Hochberg 1995).
    """
    from scipy.stats import false_discovery_control

    table = pd.DataFrame([_row(str(name), rows) for name, rows in both.groupby("label", sort=True)])
    table["p_adjusted"] = false_discovery_control(table["p"])
    return table.sort_values(["change", "class"], ascending=[False, True], kind="stable", ignore_index=True)


def _row(name: str, rows: pd.DataFrame) -> dict:
    first, second = (rows[f"correct_{each}"].to_numpy(bool) for each in (FIRST, SECOND))
    only_first, only_second, p = mcnemar(first, second)
    return {
        "class": name,
        "images": len(rows),
        "first_accuracy": first.mean(),
        "second_accuracy": second.mean(),
        "change": second.mean() - first.mean(),
        "only_first": only_first,
        "only_second": only_second,
        "p": p,
    }


def differing(both: pd.DataFrame) -> pd.DataFrame:
    """The images that one model alone has right: who, path, label and both answers; the most certain mistakes first."""
    table = both[both[f"correct_{FIRST}"] != both[f"correct_{SECOND}"]]
    right_first = table[f"correct_{FIRST}"].to_numpy(bool)
    mistaken = np.where(right_first, table[f"probability_{SECOND}"], table[f"probability_{FIRST}"])
    table = table.assign(right=np.where(right_first, FIRST, SECOND), mistaken=mistaken)
    table = table.sort_values(["right", "mistaken", "path"], ascending=[True, False, True], kind="stable")
    answers = [f"{what}_{each}" for each in (FIRST, SECOND) for what in ("predicted", "probability")]
    return table[["right", "path", "label", *answers]].reset_index(drop=True)
