from diagnoses import case, outcome

from pipeline.diagnosis import answer, figures
from pipeline.diagnosis.contract import Estimate, Finding

FACTS = {"epochs": [4, 12], "accuracies": [0.4, 0.5], "now": 12, "more": 24}
RATE = {"rate": 0.2, "best_rate": 0.6, "ratio": 3.0, "accuracy": 0.5, "best_accuracy": 0.6, "sign": "fell evenly"}


def finding(cause, value, low, high, **values):
    facts = RATE | {"tried": 2} if cause == "optimisation" else FACTS
    options = {"learning_rate": 0.6} if cause == "optimisation" else {"epochs": 24}
    return Finding(cause, facts, f"mend {cause}", options, Estimate(value, low, high), "none", **values)


def said(*found):
    asked = case()
    return answer.sentences(asked, {asked.baseline: outcome(0.5)}, list(found), 20)


def test_what_comes_first_is_said_first_with_its_gain_in_points():
    lines = said(finding("optimisation", 0.1, 0.08, 0.12), finding("length", 0.03, 0.01, 0.05))
    assert lines[0] == "Trained for 12 epochs, val_accuracy is 50.0%."
    assert lines[1].startswith("First: optimisation. 3 times the learning rate reaches 60.0%")
    assert "Remedy: mend optimisation, +10.0 points (+8.0 to +12.0); cost: none." in lines[1]
    assert lines[2].startswith("Then length.")
    assert len(lines) == 3


def test_causes_that_cannot_be_told_apart_are_said_to_be_and_what_would_tell_them():
    lines = said(finding("optimisation", 0.05, 0.02, 0.08), finding("length", 0.04, 0.01, 0.07))
    assert "Whether optimisation or length brings more cannot be told within 20 minutes" in lines[-1]
    assert "minutes and as many more seeds" in lines[-1]
    lines = said(finding("optimisation", 0.05, 0.02, 0.08), finding("length", 0.05, 0.01, 0.07))
    assert "more validation images" in lines[-1]


def test_what_may_not_help_is_not_called_a_cause():
    lines = said(finding("length", 0.02, -0.01, 0.05))
    assert "No cause was found" in lines[1]
    lines = said(finding("optimisation", 0.05, 0.02, 0.08), finding("length", 0.02, -0.01, 0.05))
    assert lines[-1] == "Not sure to help: length (+2.0 points (-1.0 to +5.0))."


def test_the_table_has_lines_that_are_ready_to_be_typed():
    found = [finding("optimisation", 0.1, 0.08, 0.12)]
    row = answer.table(found, {"data": "my photos", "learning_rate": 0.2}).iloc[0]
    assert row["command"] == "mlflow run . -e train --env-manager local -P 'data=my photos' -P learning_rate=0.6"
    assert (row["gain"], row["low"], row["high"]) == (10, 8, 12)
    assert answer.table([], {}).empty


def test_the_ceiling_takes_from_the_mistakes_what_surely_helps():
    found = [finding("optimisation", 0.1, 0.08, 0.12), finding("length", 0.1, -0.1, 0.3)]
    assert round(answer.ceiling(0.5, found), 6) == 0.6
    assert round(answer.ceiling(0.5, [found[0], found[0]]), 6) == 0.68


def test_the_figure_is_drawn_with_and_without_findings():
    for found in ([], [finding("optimisation", 0.1, 0.08, 0.12), finding("length", 0.02, -0.1, 0.3)]):
        figures.remedies(0.5, 0.6, found, "title").draw_without_rendering()
