"""The images that a model is most confidently wrong about."""

from pipeline import figures
from pipeline.evaluation.contract import Answers, Findings


def measure(answers: Answers) -> Findings:
    """A sheet of the most confident mistakes."""
    sheet = figures.mistakes(
        answers.images,
        answers.labels,
        answers.probabilities,
        answers.class_names,
        f"{answers.split}: the most confident mistakes",
        answers.paths,
    )
    return Findings(figures={"mistakes": sheet})
