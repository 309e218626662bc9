"""Wrong labels: confident learning (Northcutt et al. 2021) on answers to images that were held out."""

import numpy as np
import pandas as pd

from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import FOLLOWING, Estimate, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes, Part
from pipeline.diagnosis.paired import gain
from pipeline.evaluation.intervals import QUANTILE

CAUSE = "labels"
FOLDS = 3
# The share is read from this part of the images, those whose answers are the most certain; of fewer than FEWEST it is
# not read at all.
CERTAIN, FEWEST = 0.2, 40
# A share of wrong labels that is surely above this comes before all other causes: it spoils what they are judged by.
SERIOUS = 0.05


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """A training for each fold; then one without the training images whose labels are likely wrong."""
    found = [Want(case.baseline), *(Want(each) for each in _folds(case))]
    suspects = suspicious(case, outcomes)
    if suspects is not None and len(suspects):
        found.append(Want(_without(case, suspects), FOLLOWING))
    return found


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """The share of wrong labels, and what leaving out the likely ones brings."""
    answered, suspects = held_out(case, outcomes), suspicious(case, outcomes)
    if answered is None or suspects is None or not len(suspects):
        return []
    estimate = share(answered["label"].to_numpy(), np.stack(answered["probabilities"]))
    cleaned = _without(case, suspects)
    measured = gain(case.seeds_of(case.baseline, outcomes), case.seeds_of(cleaned, outcomes))
    if estimate is None:
        return []
    facts = {
        "share": estimate.value,
        "share_low": estimate.low,
        "share_high": estimate.high,
        "named": len(suspects),
        "images": len(answered),
        "certain": round(CERTAIN * len(answered)),
    }
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"look at the {len(suspects):,} images that are named, and leave out or correct them",
            options={"exclude": "FILE"},
            gain=measured or Estimate(0.0, -estimate.high, estimate.high),
            cost="looking through the images that are named",
            comes_first=bool(estimate.low > SERIOUS),
            rests_on=(cleaned,) if measured else (),
        )
    ]


def say(finding: Finding) -> str:
    """The share with its interval, and how many are named."""
    facts = finding.facts
    return (
        f"among the {facts['certain']:,} images that trainings without them are most certain of, label and answer "
        f"differ for {facts['share']:.1%} ({facts['share_low']:.1%} to {facts['share_high']:.1%}) at the most certain "
        f"end: so many labels are likely wrong. {facts['named']:,} of {facts['images']:,} images are named"
    )


def held_out(case: Case, outcomes: Outcomes) -> pd.DataFrame | None:
    """The answers of the folds together: path, label, probabilities, one row an image; None while a fold is missing."""
    folds = [outcomes.get(each) for each in _folds(case)]
    done = [each for each in folds if each and not each.failure]
    if len(done) < len(folds):
        return None
    tables = [
        pd.DataFrame({"path": each.paths, "label": each.labels, "probabilities": list(each.probabilities)})
        for each in done
    ]
    return pd.concat(tables, ignore_index=True)


def suspicious(case: Case, outcomes: Outcomes) -> pd.DataFrame | None:
    """The images whose labels are likely wrong, the likeliest first: path, given, suggested, certainty, label, score.

    None while a fold is missing.
    """
    answered = held_out(case, outcomes)
    if answered is None:
        return None
    labels, probabilities = answered["label"].to_numpy(), np.stack(answered["probabilities"])
    chosen, scores = named(labels, probabilities)
    rows = answered.iloc[chosen]
    answers = probabilities[chosen].argmax(axis=1)
    return pd.DataFrame(
        {
            "path": rows["path"].to_numpy(),
            "given": [case.class_names[label] for label in labels[chosen]],
            "suggested": [case.class_names[label] for label in answers],
            "certainty": probabilities[chosen].max(axis=1),
            "score": scores[chosen],
        }
    )


def named(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the images whose labels are likely wrong, the likeliest first, and the score of every image.

    labels: (n,). probabilities: (n, classes), of trainings that had not seen the image. Confident learning says which
    may be wrong; of those, as many are named as the share of wrong labels comes to. A weak network disagrees with many
    labels that are right: without that limit they would all be named. score: 0 (surely wrong) to 1.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    usable = np.clip(probabilities.astype(float), 1e-7, None)
    usable /= usable.sum(axis=1, keepdims=True)
    scores = get_label_quality_scores(labels, usable, method="normalized_margin")
    estimate = share(labels, probabilities)
    if estimate is None:
        return np.empty(0, int), scores
    with np.errstate(all="ignore"):
        found = find_label_issues(
            labels, usable, filter_by="prune_by_noise_rate", return_indices_ranked_by="normalized_margin", n_jobs=1
        )
    return found[: round(estimate.value * len(labels))], scores


def share(labels: np.ndarray, probabilities: np.ndarray) -> Estimate | None:
    """The share of wrong labels: how often the label is not the answer, at the most certain end of the answers.

    A network's own mistakes become fewer the more certain it is; wrong labels do not. Over the CERTAIN part of the
    images with the most certain answers, a straight line is drawn through how often label and answer differ (least
    squares): where it begins is the share, with the interval of that coefficient. None where too few are held out.
    """
    certain = np.argsort(-probabilities.max(axis=1), kind="stable")[: round(CERTAIN * len(labels))]
    if len(certain) < FEWEST:
        return None
    differs = (probabilities[certain].argmax(axis=1) != labels[certain]).astype(float)
    line = np.stack([np.ones(len(certain)), np.linspace(0, 1, len(certain))], axis=1)
    beginning, *_ = np.linalg.lstsq(line, differs, rcond=None)[0]
    # With no difference at all, one more image could still have had one.
    variance = max(float(differs.var()), 1 / len(differs)) * np.linalg.inv(line.T @ line)[0, 0]
    reach = QUANTILE * float(np.sqrt(variance))
    low, value, high = np.clip([beginning - reach, beginning, beginning + reach], 0, 1)
    return Estimate(float(value), float(low), float(high))


def _folds(case: Case) -> list[Experiment]:
    parts = [Part(case.fraction, fold=fold, folds=FOLDS) for fold in range(1, FOLDS + 1)]
    return [case.changed(f"fold {part.fold} of {part.folds} held out", part) for part in parts]


def _without(case: Case, suspects: pd.DataFrame) -> Experiment:
    part = Part(case.fraction, without=frozenset(suspects["path"]))
    return case.changed("without the images whose labels are likely wrong", part)
